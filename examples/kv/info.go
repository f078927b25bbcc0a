package main

import (
	"fmt"
	"os"
	"runtime/metrics"
	"strings"
)

// version is that of the Redis whose replies these are. Clients derive from it
// what they may use.
const version = "7.0.15"

// commandCount and commandList answer COMMAND. Nothing is documented here: clients
// that ask can do without.
func (s *session) commandCount([][]byte) { s.out.int(len(s.commands)) }
func (s *session) commandList([][]byte)  { s.out.array(0) }

// configuration is what there is of it, for redis-benchmark.
var configuration = [][2]string{{"save", ""}, {"appendonly", "no"}, {"databases", fmt.Sprint(databases)}}

func (s *session) configGet(args [][]byte) {
	var found []string
	for _, pair := range configuration {
		for _, pattern := range args[2:] {
			if match(strings.ToLower(string(pattern)), pair[0]) {
				found = append(found, pair[:]...)
				break
			}
		}
	}
	s.out.texts(found...)
}

func (s *session) info(args [][]byte) {
	var b strings.Builder
	for _, section := range []struct {
		name  string
		write func(b *strings.Builder)
	}{
		{"Server", s.infoServer},
		{"Clients", s.infoClients},
		{"Memory", infoMemory},
		{"Stats", s.infoStats},
		{"Keyspace", s.infoKeyspace},
	} {
		if !asked(args[1:], section.name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# %s\r\n", section.name)
		section.write(&b)
	}
	s.out.text(b.String())
}

// asked reports whether INFO with the given words includes a section.
func asked(words [][]byte, section string) bool {
	for _, w := range words {
		if is(w, strings.ToLower(section)) || is(w, "all") || is(w, "default") || is(w, "everything") {
			return true
		}
	}
	return len(words) == 0
}

func (e *engine) infoServer(b *strings.Builder) {
	fmt.Fprintf(b, "redis_version:%s\r\n", version)
	fmt.Fprintf(b, "redis_mode:standalone\r\n")
	fmt.Fprintf(b, "process_id:%d\r\n", os.Getpid())
	fmt.Fprintf(b, "uptime_in_seconds:%d\r\n", int(e.clock().Sub(e.started).Seconds()))
}

func (e *engine) infoClients(b *strings.Builder) {
	fmt.Fprintf(b, "connected_clients:%d\r\n", e.stats.clients)
	fmt.Fprintf(b, "blocked_clients:%d\r\n", e.stats.blocked)
}

func infoMemory(b *strings.Builder) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	fmt.Fprintf(b, "used_memory:%d\r\n", sample[0].Value.Uint64())
}

func (e *engine) infoStats(b *strings.Builder) {
	fmt.Fprintf(b, "total_connections_received:%d\r\n", e.stats.connections)
	fmt.Fprintf(b, "total_commands_processed:%d\r\n", e.stats.requests)
	fmt.Fprintf(b, "expired_keys:%d\r\n", e.stats.expired)
	fmt.Fprintf(b, "pubsub_channels:%d\r\n", len(e.channels))
	fmt.Fprintf(b, "pubsub_patterns:%d\r\n", len(e.patterns))
}

func (e *engine) infoKeyspace(b *strings.Builder) {
	for _, d := range e.dbs {
		if n := d.keys.len(); n > 0 {
			fmt.Fprintf(b, "db%d:keys=%d,expires=%d,avg_ttl=0\r\n", d.number, n, len(d.expiring))
		}
	}
}
