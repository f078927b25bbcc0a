package replica

// Planted is the config of a node with a bug.
func (c Config) Planted(bug string) Config {
	c.fault = fault(bug)
	return c
}

// Plant gives a client a bug.
func (c *Client) Plant(bug string) { c.fault = fault(bug) }

// Bugs are all that can be planted.
var Bugs = []string{
	string(acksUnsynced), string(sendsFirst), string(forgetsVote), string(acksUncommitted),
	string(readsLocally), string(readsTooEarly), string(trustsTheDead),
	string(repliesByIndex), string(trustsOrder), string(losesCancel),
	string(appliesTwice), string(retriesTwice), string(dropsSessions), string(reordersFrames),
}
