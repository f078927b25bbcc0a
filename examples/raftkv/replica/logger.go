package replica

import (
	"context"
	"fmt"
	"log/slog"
)

// logger hands on what raft has to say, which is much; most of it is for debugging.
type logger struct{ to *slog.Logger }

func (l logger) say(level slog.Level, format string, v ...any) {
	if l.to.Enabled(context.Background(), level) {
		l.to.Log(context.Background(), level, fmt.Sprintf(format, v...))
	}
}

func (l logger) Debugf(format string, v ...any)   { l.say(slog.LevelDebug, format, v...) }
func (l logger) Infof(format string, v ...any)    { l.say(slog.LevelDebug, format, v...) }
func (l logger) Warningf(format string, v ...any) { l.say(slog.LevelWarn, format, v...) }
func (l logger) Errorf(format string, v ...any)   { l.say(slog.LevelError, format, v...) }
func (l logger) Panicf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }
func (l logger) Fatalf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }

func (l logger) Debug(v ...any)   { l.Debugf("%s", fmt.Sprint(v...)) }
func (l logger) Info(v ...any)    { l.Infof("%s", fmt.Sprint(v...)) }
func (l logger) Warning(v ...any) { l.Warningf("%s", fmt.Sprint(v...)) }
func (l logger) Error(v ...any)   { l.Errorf("%s", fmt.Sprint(v...)) }
func (l logger) Fatal(v ...any)   { l.Panicf("%s", fmt.Sprint(v...)) }
func (l logger) Panic(v ...any)   { l.Panicf("%s", fmt.Sprint(v...)) }
