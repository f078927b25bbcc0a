package replica

// A fault is a bug that a test has planted; the simulation shows that it is found. There
// is no way to one from outside of the tests.
type fault string

const (
	acksUnsynced    fault = "acknowledges what is not synced"
	sendsFirst      fault = "sends before it has persisted"
	forgetsVote     fault = "does not persist its vote"
	readsLocally    fault = "deposed leader answers reads by itself"
	readsTooEarly   fault = "reads before it has applied the index"
	repliesByIndex  fault = "matches a reply by its place in the log"
	trustsOrder     fault = "client takes the next reply for its own"
	losesCancel     fault = "goes on after a cancellation"
	appliesTwice    fault = "does not restore the applied index"
	retriesTwice    fault = "applies a retry again"
	dropsSessions   fault = "snapshot without the session table"
	reordersFrames  fault = "reorders frames on reconnect"
	trustsTheDead   fault = "takes an answer to its last incarnation"
	acksUncommitted fault = "acknowledges what is not committed"
)
