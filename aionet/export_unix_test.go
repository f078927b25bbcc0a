//go:build unix && !asyncio_netonly

package aionet

import "github.com/asyncio-go/asyncio/internal/socket"

// SendsFiles says whether files are sent without copying them.
const SendsFiles = socket.CanSendFile
