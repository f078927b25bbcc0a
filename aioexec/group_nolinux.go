//go:build !linux

package aioexec

func onlyZombies(int) bool { return false }
