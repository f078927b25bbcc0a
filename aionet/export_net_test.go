//go:build !unix || asyncio_netonly

package aionet

// SendsFiles says whether files are sent without copying them.
const SendsFiles = false
