// Package interop is the root of recipes that bring asyncio together with the
// libraries of Go. Each is a package to copy or to import; docs/interop.md of the
// repository explains them.
package interop
