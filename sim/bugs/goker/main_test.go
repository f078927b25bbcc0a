package goker

import (
	"os"
	"testing"

	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }
