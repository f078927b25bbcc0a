// Package netbench measures servers from outside: echo servers of several
// libraries, each a process on a core of its own, under the load of another
// process. It is a module of its own because of what the peers depend on.
//
// The programs are in servers/ and peers/; cmd/load starts one of them, loads
// it and prints a line in the format of Go's benchmarks; rounds.sh lets them
// take turns; cmd/table judges.
package netbench
