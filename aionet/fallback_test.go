//go:build !unix || asyncio_netonly

package aionet_test

// fallback says that the system's network is package net's.
const fallback = true
