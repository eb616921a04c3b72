package experiment

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// squeue stands in for Slurm's: it knows job 1, which runs, and has forgotten job 3.
func squeue(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\ncase $3 in\n1) echo RUNNING ;;\n2) ;;\n3) echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1 ;;\n*) exit 1 ;;\nesac\n"
	if err := os.WriteFile(filepath.Join(dir, "squeue"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestLocksOfTheDeadAreTakenOver(t *testing.T) {
	squeue(t)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	other := func(job string, restart int) holder {
		return holder{Host: "elsewhere", PID: 1, Started: "1", Job: job, Restart: restart}
	}
	for name, c := range map[string]struct {
		job, restarts string
		held          holder
		touched       time.Duration // ago
		lives         bool
	}{
		"here, alive":                       {held: holder{Host: me.Host, PID: me.PID, Started: me.Started}, lives: true},
		"here, gone":                        {held: holder{Host: me.Host, PID: gone.Process.Pid, Started: "1"}},
		"here, its PID given out again":     {held: holder{Host: me.Host, PID: me.PID, Started: "1"}},
		"elsewhere":                         {held: other("", 0), lives: true},
		"elsewhere, long silent":            {held: other("", 0), touched: time.Hour},
		"requeued":                          {job: "1", restarts: "2", held: other("1", 1)},
		"beside it in one job":              {job: "1", restarts: "1", held: other("1", 1), lives: true},
		"here, beside it in one job":        {job: "1", held: holder{Host: me.Host, PID: me.PID, Started: me.Started, Job: "1"}, lives: true},
		"started before it in one job":      {job: "1", held: other("1", 1), lives: true},
		"a job that runs":                   {job: "9", held: other("1", 0), lives: true},
		"a job that has ended":              {job: "9", held: other("2", 0)},
		"a job that is forgotten":           {job: "9", held: other("3", 0)},
		"a job of which Slurm says nothing": {job: "9", held: other("4", 0), lives: true},
		"a job, and no Slurm here":          {held: other("2", 0), lives: true},
	} {
		t.Setenv("SLURM_JOB_ID", c.job)
		t.Setenv("SLURM_RESTART_COUNT", c.restarts)
		d := directory(t.TempDir())
		path := d.in("lock-1-of-2")
		if err := writeJSON(path, c.held); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-c.touched)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		l, err := d.acquire(Share{1, 2}, func(error) {})
		if by := (*HeldError)(nil); errors.As(err, &by) != c.lives || (err != nil) != c.lives {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if err := l.release(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestDeadLocksOfSharesGoWhenTheWholeIsTaken(t *testing.T) {
	d := directory(t.TempDir())
	dead := d.in("lock-1-of-2")
	if err := writeJSON(dead, holder{Host: "elsewhere", PID: 1, Started: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.acquire(Share{}, func(error) {}); err == nil {
		t.Fatal("the whole was taken while a share was held")
	}
	long := time.Now().Add(-2 * deadAfter)
	if err := os.Chtimes(dead, long, long); err != nil {
		t.Fatal(err)
	}
	l, err := d.acquire(Share{}, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead lock is still there: %v", err)
	}
	if err := l.release(); err != nil {
		t.Error(err)
	}
}

func TestLostLocksAreNoticedAndLeft(t *testing.T) {
	defer func(d time.Duration) { touchEvery = d }(touchEvery)
	touchEvery = time.Millisecond
	d := directory(t.TempDir())
	lost := make(chan error, 1)
	l, err := d.acquire(Share{}, func(err error) { lost <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(l.path, holder{Host: "elsewhere", PID: 7, Started: "1"}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-lost:
		if !errors.Is(err, errTakenOver) {
			t.Errorf("the lock was lost by %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("that another has the lock was not noticed")
	}
	if err := l.release(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.path); err != nil {
		t.Errorf("releasing a lost lock removed another's: %v", err)
	}
}
