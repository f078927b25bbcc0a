package sim

// Crash is what a crash of the host does to the network.
func (n *Network) Crash(h *Host, reset bool) { n.crash(h, reset) }

// Strays runs each of so many seeds twice, and says where the two runs part, if they do.
func Strays(f Func, seeds int) string {
	c := newCampaign(f, Options{})
	c.first()
	all, s := newStrategies(), &schedule{}
	for seed := range uint64(seeds) {
		s.reset(all.begin(c.o.strategyOf(seed), seed, c.est), c.o.MaxSteps)
		if w := c.play(s); w.failure != nil {
			return w.failure.Error()
		}
		if where := c.repeat(s); where != "" {
			return where
		}
	}
	return ""
}
