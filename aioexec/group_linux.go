package aioexec

import (
	"bytes"
	"os"
	"strconv"
)

// onlyZombies reports whether whoever is left in the group has exited, and waits for
// an init that is slow to reap, or never does, as in many containers. It looks at
// every process of the system.
func onlyZombies(pgid int) bool {
	proc, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer proc.Close()
	pids, err := proc.Readdirnames(-1)
	if err != nil {
		return false
	}
	group := []byte(strconv.Itoa(pgid))
	for _, pid := range pids {
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue // gone
		}
		// pid (name) state parent group …, and the name may contain anything
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && bytes.Equal(fields[2], group) && fields[0][0] != 'Z' {
			return false
		}
	}
	return true
}
