package replica

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/asyncio-go/asyncio"
)

// A File is all that a node has on disk. Its functions await; one task uses it. When
// one fails or is cancelled, what it was to write may be there, in part or not at all.
type File interface {
	// Load is the contents, empty if there is no file.
	Load(ctx context.Context) ([]byte, error)
	// Append adds p at the end. With sync, a crash loses nothing of the file after
	// it has returned; without, what was appended since the last sync.
	Append(ctx context.Context, p []byte, sync bool) error
	// Replace makes p the contents, durably. A crash leaves the old ones or the new.
	Replace(ctx context.Context, p []byte) error
}

// DiskFile is a file of the system.
type DiskFile struct {
	Path string
	file *os.File // open for appending once it was asked for
}

var _ File = (*DiskFile)(nil)

// Load implements [File].
func (d *DiskFile) Load(ctx context.Context) ([]byte, error) {
	return asyncio.Blocking(ctx, func(context.Context) ([]byte, error) {
		data, err := os.ReadFile(d.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	})
}

// Append implements [File].
func (d *DiskFile) Append(ctx context.Context, p []byte, sync bool) error {
	return blocking(ctx, func() error {
		if d.file == nil {
			f, err := os.OpenFile(d.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			d.file = f
		}
		if _, err := d.file.Write(p); err != nil || !sync {
			return err
		}
		return d.file.Sync()
	})
}

// Replace implements [File]: a new file takes the name of the old one, and the folder
// is synced, or a crash might bring the old name back.
func (d *DiskFile) Replace(ctx context.Context, p []byte) error {
	return blocking(ctx, func() error {
		next := d.Path + ".next"
		if err := writeSynced(next, p); err != nil {
			return err
		}
		if err := os.Rename(next, d.Path); err != nil {
			return err
		}
		if d.file != nil {
			_ = d.file.Close() // of the old file, of which nothing is needed
			d.file = nil
		}
		folder, err := os.Open(filepath.Dir(d.Path))
		if err != nil {
			return err
		}
		defer folder.Close()
		return folder.Sync()
	})
}

// Close closes the file; nothing is lost by not closing it.
func (d *DiskFile) Close() error {
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}

func writeSynced(path string, p []byte) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(p); err != nil {
		return err
	}
	return f.Sync()
}

func blocking(ctx context.Context, f func() error) error {
	_, err := asyncio.Blocking(ctx, asyncio.Void(func(context.Context) error { return f() }))
	return err
}
