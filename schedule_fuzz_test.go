package asyncio_test

import (
	"testing"
)

// schedulePrograms are all of them, in the order of their numbers in the corpus.
var schedulePrograms = []struct {
	name    string
	program func(s *schedule) scheduleProgram
}{
	{"Lock", newLockProgram},
	{"Semaphore", newSemaphoreProgram},
	{"Event", newEventProgram},
	{"Barrier", newBarrierProgram},
	{"Cond", newCondProgram},
	{"Queue", newQueueProgram(fifoOrder)},
	{"LifoQueue", newQueueProgram(lifoOrder)},
	{"PriorityQueue", newQueueProgram(priorityOrder)},
	{"Await", newAwaitProgram},
	{"Gather", newGatherProgram},
	{"Group", newGroupProgram},
}

// FuzzSchedules takes the program and all decisions from bytes.
func FuzzSchedules(f *testing.F) {
	for n := range schedulePrograms {
		f.Add([]byte{byte(n)})
		for seed := range uint64(3) {
			draw := seededSource(seed)
			decisions := []byte{byte(n)}
			for range 300 {
				decisions = append(decisions, byte(draw(256)))
			}
			f.Add(decisions)
		}
	}
	f.Fuzz(func(t *testing.T, decisions []byte) {
		if len(decisions) == 0 {
			return
		}
		p := schedulePrograms[int(decisions[0])%len(schedulePrograms)]
		if s := runSchedule(bytesSource(decisions[1:]), p.program); s.failed != "" {
			t.Errorf("%s: %s\n%s", p.name, s.failed, s.tell())
		}
	})
}

// Whoever replays a seed has to see the same.
func TestSchedules_SameSeedSameStory(t *testing.T) {
	noLeaks(t)
	const seeds = 30
	for _, p := range schedulePrograms {
		stories := map[uint64]bool{}
		for seed := range uint64(seeds) {
			first, second := runSchedule(seededSource(seed), p.program), runSchedule(seededSource(seed), p.program)
			if first.hash != second.hash {
				t.Errorf("%s: seed %d told two stories:\n%s\n%s", p.name, seed, first.tell(), second.tell())
			}
			stories[first.hash] = true
		}
		if len(stories) != seeds {
			t.Errorf("%s: %d seeds told only %d stories", p.name, seeds, len(stories))
		}
	}
}

// Without any decision each program comes to its end too.
func TestSchedules_EndWithTheirSource(t *testing.T) {
	noLeaks(t)
	for _, p := range schedulePrograms {
		if s := runSchedule(bytesSource(nil), p.program); s.failed != "" {
			t.Errorf("%s: %s\n%s", p.name, s.failed, s.tell())
		}
	}
}
