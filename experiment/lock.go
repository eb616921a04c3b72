package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A lock says that a program works on a directory, or on a share of it. Its file names
// who does, and is touched as long as the program lives.
type lock struct {
	path string
	me   holder
	lost func(error) // called when another has taken it over
	stop chan struct{}
	done chan struct{}
}

// holder is the content of a lock's file.
type holder struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started string    `json:"process_started"` // of the process, in the kernel's ticks: a PID is given out again
	Job     string    `json:"slurm_job,omitempty"`
	Restart int       `json:"slurm_restart,omitempty"` // how often Slurm had requeued the job
	Share   string    `json:"share,omitempty"`
	Since   time.Time `json:"since"`
}

// guardFile is locked by the kernel while a program looks at locks; it stays.
const guardFile = ".guard"

// is reports whether both are one process.
func (h holder) is(o holder) bool {
	return h.Host == o.Host && h.PID == o.PID && h.Started == o.Started
}

// touchEvery is a variable for tests.
var touchEvery = 20 * time.Second

const (
	// deadAfter is how long a lock of another host may stay untouched before its program
	// counts as dead: longer than clocks differ and network file systems cache.
	deadAfter = 5 * time.Minute
)

// HeldError says who works on a directory.
type HeldError struct {
	Path string
	holder
}

func (e *HeldError) Error() string {
	what := "the directory"
	if e.Share != "" {
		what = "share " + e.Share
	}
	return fmt.Sprintf("another eegprune works on %s: process %d on %s, since %s; wait for it or stop it (if it is gone for certain, delete %s)",
		what, e.PID, e.Host, e.Since.Local().Format("2006-01-02 15:04:05"), e.Path)
}

// errTakenOver ends a program that has lost its lock.
var errTakenOver = errors.New("this program's lock was taken over")

// acquire takes the lock of a share ("" for all of the directory). A share and the whole
// exclude each other, as does a share itself. Locks of programs that died are taken over.
// So can this one be, where Slurm has requeued the job and its first program lives on, on
// a node that is cut off: lost is called then.
func (d directory) acquire(share Share, lost func(error)) (*lock, error) {
	me, err := self()
	if err != nil {
		return nil, err
	}
	me.Share = share.String()
	name := "lock"
	if share != (Share{}) {
		name = fmt.Sprintf("lock-%d-of-%d", share.Number, share.Of)
	}
	l := &lock{path: d.in(name), me: me, lost: lost, stop: make(chan struct{}), done: make(chan struct{})}
	// One at a time looks and takes, so that two can't both find a lock dead.
	unguard, err := guard(d.in(guardFile))
	if err != nil {
		return nil, err
	}
	defer unguard()
	if err := d.others(l.path, share, me); err != nil {
		return nil, err
	}
	if err := alive(l.path, me); err != nil {
		return nil, err
	}
	if err := writeJSON(l.path, me); err != nil {
		return nil, fmt.Errorf("locking the results directory: %w", err)
	}
	go l.touch()
	return l, nil
}

// guard waits until nobody else holds the guard.
func guard(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the results directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		f.Close()
		return nil, fmt.Errorf("locking the results directory: %w", err)
	}
	return func() { f.Close() }, nil
}

// others finds a living lock that excludes ours, and removes dead ones.
func (d directory) others(own string, share Share, me holder) error {
	pattern := "lock-*-of-*"
	if share != (Share{}) {
		pattern = "lock"
	}
	paths, err := filepath.Glob(d.in(pattern))
	if err != nil {
		return err
	}
	for _, path := range paths {
		if path == own {
			continue
		}
		if err := alive(path, me); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the lock of a program that is gone: %w", err)
		}
	}
	return nil
}

// alive returns a HeldError if the lock's program lives, nil if it is gone.
func alive(path string, me holder) error {
	var h holder
	ok, err := readJSON(path, &h)
	if !ok || err != nil {
		return nil // gone meanwhile, or written by nobody who would come back
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	switch {
	case h.Job != "" && h.Job == me.Job && h.Restart < me.Restart:
		return nil // Slurm runs a job once: it has been requeued
	case h.Host == me.Host:
		if processStarted(h.PID) != h.Started {
			return nil
		}
	case h.Job != "" && me.Job != "" && h.Job != me.Job && ended(h.Job):
		return nil
	case fileClock(path).Sub(info.ModTime()) > deadAfter:
		return nil
	}
	return &HeldError{path, h}
}

// ended reports whether Slurm says that a job runs no more, nor will again.
func ended(job string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "squeue", "--noheader", "--jobs", job, "--format", "%T").CombinedOutput()
	if err != nil {
		return strings.Contains(string(out), "Invalid job id") // so long ago that it is forgotten
	}
	return len(bytes.TrimSpace(out)) == 0
}

// fileClock is the time by the clock of the file system on which path lies, which can be
// another host's.
func fileClock(path string) time.Time {
	f, err := os.CreateTemp(filepath.Dir(path), ".clock-*")
	if err != nil {
		return time.Now()
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		return info.ModTime()
	}
	return time.Now()
}

func self() (holder, error) {
	host, err := os.Hostname()
	if err != nil {
		return holder{}, fmt.Errorf("locking the results directory: %w", err)
	}
	restart, _ := strconv.Atoi(os.Getenv("SLURM_RESTART_COUNT")) // not set at a job's first start
	return holder{Host: host, PID: os.Getpid(), Started: processStarted(os.Getpid()), Job: os.Getenv("SLURM_JOB_ID"), Restart: restart,
		Since: time.Now().UTC()}, nil
}

// processStarted tells processes that had one PID one after another apart; it is empty
// where there is no such process.
func processStarted(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil {
		// After the name in parentheses, which may hold spaces, the start is field 22.
		if i := strings.LastIndexByte(string(b), ')'); i >= 0 {
			if fields := strings.Fields(string(b[i+1:])); len(fields) > 19 && fields[0] != "Z" {
				return fields[19]
			}
		}
		return ""
	}
	if err := syscall.Kill(pid, 0); err == nil || errors.Is(err, syscall.EPERM) {
		return "unknown" // a system without /proc
	}
	return ""
}

// touch tells other hosts that the program lives, until the lock is no longer its own.
func (l *lock) touch() {
	defer close(l.done)
	t := time.NewTicker(touchEvery)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			return
		case now := <-t.C:
			if by, ok := l.takenOver(); ok {
				l.lost(fmt.Errorf("%w by process %d on %s, which goes on with the work", errTakenOver, by.PID, by.Host))
				return
			}
			_ = os.Chtimes(l.path, time.Time{}, now)
		}
	}
}

// takenOver says who holds the lock, if that is another program.
func (l *lock) takenOver() (by holder, ok bool) {
	ok, err := readJSON(l.path, &by)
	return by, ok && err == nil && !by.is(l.me)
}

// release gives the directory free.
func (l *lock) release() error {
	close(l.stop)
	<-l.done
	if _, ok := l.takenOver(); ok {
		return nil
	}
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unlocking the results directory: %w", err)
	}
	return nil
}
