package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// groupEagerly starts f as an eager task of g.
func groupEagerly(ctx context.Context, g *asyncio.TaskGroup, f func(ctx context.Context) error) *asyncio.Task[struct{}] {
	return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, asyncio.Void(f))
}

func TestGroupEager_TaskThatDoesNotWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			task := groupEagerly(ctx, g, nothing)
			if task.State() != asyncio.Succeeded || g.String() != "<TaskGroup>" {
				t.Errorf("the task is %v in %v", task.State(), g)
			}
			task = groupEagerly(ctx, g, sleeping(time.Second))
			if task.State() != asyncio.Waiting || g.String() != "<TaskGroup tasks=1>" {
				t.Errorf("the task is %v in %v", task.State(), g)
			}
			return nil
		})
	})
}

// cpython gh-128588: the group of an eager task that fails is cancelled before its
// function goes on. Nothing of that is left after the group.
func TestGroupEager_CancellationDoesNotLeakOut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			groupEagerly(ctx, g, fail)
			return nil
		})
		if err != errBoom {
			t.Errorf("Group returned %v", err)
		}
		return asyncio.Sleep(ctx, time.Second)
	})
}

// cpython gh-128550: an eager task makes its group fail before it waits itself: it is
// one of those that are cancelled.
func TestGroupEager_TaskThatStartsAFailingOne(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var second *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			second = groupEagerly(ctx, g, func(ctx context.Context) error {
				groupEagerly(ctx, g, fail)
				return (&asyncio.Event{}).Wait(ctx)
			})
			return nil
		})
		if err != errBoom || second.State() != asyncio.Cancelled {
			t.Errorf("Group returned %v, the task that would wait for ever is %v", err, second.State())
		}
		return nil
	})
}

// cpython gh-155418: an eager task cancels its group before it waits.
func TestGroupEager_TaskThatCancelsTheGroup(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			task := groupEagerly(ctx, g, func(ctx context.Context) error {
				g.Cancel()
				err := (&asyncio.Event{}).Wait(ctx)
				s.add("task: %v", err)
				return err
			})
			s.add("f: %v, %v", task.State(), ctx.Err())
			return sleepLong(ctx)
		})
	})
	s.want(t, "f: ready, context canceled", "task: asyncio: cancelled: the group was cancelled")
}

// While a group is joined, an eager task may come and go without ending it.
func TestGroupEager_StartedWhileTheGroupCloses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s := &story{}
		groupErr := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				for i := range 3 {
					groupEagerly(ctx, g, func(context.Context) error { s.add("%d", i); return nil })
				}
				return asyncio.Sleep(ctx, time.Second)
			})
			l.CallLater(time.Millisecond, func() { groupEagerly(ctx, g, func(context.Context) error { s.add("callback"); return nil }) })
			return nil
		})
		s.want(t, "0", "1", "2", "callback")
		return errors.Join(err, groupErr)
	})
}

func TestGroupEager_GroupInAnEagerTask(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		task := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
			var value *asyncio.Task[int]
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				value = asyncio.SpawnIn(g, groupValue(time.Second, 7))
				s.add("f")
				return nil
			})
			v, taskErr := value.Result()
			return v, errors.Join(err, taskErr)
		})
		s.add("main: %v", task.State())
		v, err := task.Await(ctx)
		s.add("%d", v)
		return err
	})
	s.want(t, "f", "main: waiting", "7")
}

// Whatever order tasks run in, a group keeps its promises.
func TestGroupEager_InAnyOrder(t *testing.T) {
	for name, c := range choosers() {
		for _, o := range []asyncio.TaskOptions{{}, eager} {
			chosen(t, c, func(ctx context.Context) error {
				n, sum := &groupCount{}, 0
				err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					g.SetLimit(3)
					o.Group = g
					for i := range 20 {
						asyncio.SpawnWith(ctx, o, func(ctx context.Context) (int, error) {
							err := n.work(time.Duration(i%3) * time.Millisecond)(ctx)
							sum += i
							return i, err
						})
					}
					return asyncio.Yield(ctx)
				})
				if sum != 190 || n.most != 3 {
					return fmt.Errorf("%s: the sum is %d, %d ran at a time", name, sum, n.most)
				}
				return err
			})
		}
	}
}

func TestGroupEager_ErrorsInAnyOrder(t *testing.T) {
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			scope := groupCancelledLater(ctx, 2*time.Second)
			ended := 0
			err := asyncio.Group(scope, func(ctx context.Context, g *asyncio.TaskGroup) error {
				for i := range 10 {
					g.Go(func(ctx context.Context) error {
						defer func() { ended++ }()
						if i == 5 {
							return groupError(time.Second, errBoom)(ctx)
						}
						return groupCleanup(time.Duration(i%2)*time.Second, nil)(ctx)
					})
				}
				return sleepLong(ctx)
			})
			if err != errBoom || ended != 10 {
				return fmt.Errorf("%s: Group returned %w when %d tasks had ended", name, err, ended)
			}
			return nil
		})
	}
}
