//go:build !unix

package main

import "testing"

func filesAllowed(*testing.T) int { return 2200 }
