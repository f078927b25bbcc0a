package replica_test

import (
	"context"
	"errors"
	"io/fs"

	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
	"github.com/asyncio-go/asyncio/sim"
)

// A simFile is a node's file on the disk of a simulated host.
type simFile struct {
	disk *sim.Disk
	file *sim.File
}

var _ replica.File = (*simFile)(nil)

const fileName = "raftkv"

func (s *simFile) Load(context.Context) ([]byte, error) {
	data, err := s.disk.ReadFile(fileName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s *simFile) Append(ctx context.Context, p []byte, sync bool) error {
	if _, err := s.file.Write(p); err != nil || !sync {
		return err
	}
	return s.file.Sync(ctx)
}

// Replace opens the file for Append, too: a node begins with it.
func (s *simFile) Replace(ctx context.Context, p []byte) (err error) {
	if s.file, err = s.disk.Create(fileName + ".next"); err != nil {
		return err
	}
	if _, err := s.file.Write(p); err != nil {
		return err
	}
	if err := s.file.Sync(ctx); err != nil {
		return err
	}
	if err := s.disk.Rename(fileName+".next", fileName); err != nil {
		return err
	}
	return s.disk.SyncDir(ctx)
}
