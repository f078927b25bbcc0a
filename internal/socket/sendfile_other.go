//go:build unix && !linux

package socket

import "errors"

// CanSendFile says whether SendFile exists.
const CanSendFile = false

// SendFile does not exist here.
func SendFile(int, int, int) (int, error) { return 0, errors.ErrUnsupported }
