//go:build slurm

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSlurm(t *testing.T) {
	c := startCluster(t)
	epochs := c.pace(t)
	want := c.run(t, epochs, "whole")

	t.Run("completes", func(t *testing.T) {
		s := c.submit(t, "plain", "--of", "3", "--partition", "main", "--time", "0:10:00", "--mem", "900M", "--gpus", "1", "--cpus", "1",
			"--name", "mine", "--sbatch=--nice=7", "--sbatch=--comment=lab", "--device", "cpu", "--tensorboard", "board")
		job := s.job(t, s.task("1"))
		for name, value := range map[string]string{"JobName": "mine", "Partition": "main", "TimeLimit": "00:10:00", "MinMemoryNode": "900M",
			"TresPerNode": "gres:gpu:1", "CPUs/Task": "1", "Nice": "7", "Comment": "lab", "Requeue": "1"} {
			if job[name] != value {
				t.Errorf("Slurm has %s=%s, want %s", name, job[name], value)
			}
		}
		if d := s.job(t, s.After)["Dependency"]; !strings.HasPrefix(d, "afterany:"+s.Array+"_*") {
			t.Errorf("the report waits for %q", d)
		}
		if n := s.job(t, s.After)["Comment"]; n != "lab" {
			t.Error("the report's job lacks an option of --sbatch")
		}
		s.ends(t, want, "1", "2", "3")
		for _, share := range []string{"1", "2", "3"} {
			if !strings.HasPrefix(s.log(share), "share "+share+"/3 on w") {
				t.Errorf("the log of share %s does not say what it is", share)
			}
		}
		if runs, err := os.ReadDir(filepath.Join(c.work, "board")); err != nil || len(runs) != len(want.Results) {
			t.Errorf("TensorBoard has %d runs (%v), want one for each of the %d cells", len(runs), err, len(want.Results))
		}
	})

	t.Run("killed and requeued", func(t *testing.T) {
		s := c.submit(t, "killed", "--of", "2")
		first := s.inTheMiddle(t, "1")
		kill(t, syscall.SIGKILL, first.PID)
		s.untilState(t, s.task("1"), "FAILED")
		c.slurm(t, "scontrol", "requeue", s.task("1"))
		second := s.inTheMiddle(t, "2")
		c.slurm(t, "scancel", "--signal=KILL", s.task("2"))
		s.untilState(t, s.task("2"), "CANCELLED")
		s.until(t, "the program has ended", func() bool { return syscall.Kill(second.PID, 0) != nil })
		if log := s.log("2"); !strings.Contains(log, "interrupted; what was finished is kept") {
			t.Errorf("a canceled share does not say so:\n%s", log)
		}
		c.slurm(t, "scontrol", "requeue", s.task("2"))
		s.ends(t, want, "1", "2")
		for _, share := range []string{"1", "2"} {
			if n := s.job(t, s.task(share))["Restarts"]; n != "1" || !strings.Contains(s.log(share), "was done before") {
				t.Errorf("share %s was requeued %s times and took nothing over", share, n)
			}
		}
		s.wentOn(t, first)
		s.wentOn(t, second)
	})

	t.Run("node down", func(t *testing.T) {
		s := c.submit(t, "down", "--of", "2")
		ended := s.inTheMiddle(t, "2")
		node, script := ended.Host, parent(t, ended.PID)
		kill(t, syscall.SIGKILL, c.slurmd(t, node), parent(t, script), script, ended.PID)
		s.until(t, node+" is down", func() bool { return strings.HasPrefix(c.slurm(t, "sinfo", "-h", "-n", node, "-o", "%t"), "down") })
		t.Log(c.slurm(t, "sinfo", "-N"))
		s.ends(t, want, "1", "2")
		s.wentOn(t, ended)
		job := s.job(t, s.task("2"))
		if job["Restarts"] != "1" || job["BatchHost"] == node || !strings.Contains(s.log("2"), "was done before") {
			t.Errorf("%s restarts of share 2, which ended on %s after %s went down", job["Restarts"], job["BatchHost"], node)
		}
		c.revive(t, s, node)
	})

	// The node can't be reached, but its program lives on and comes back beside the one
	// that took its place.
	t.Run("node cut off", func(t *testing.T) {
		s := c.submit(t, "cut", "--of", "2")
		p := s.inTheMiddle(t, "2")
		kill(t, syscall.SIGSTOP, p.PID)
		kill(t, syscall.SIGKILL, c.slurmd(t, p.Host))
		s.until(t, "share 2 runs again", func() bool { return strings.Count(s.log("2"), "share 2/2 on") == 2 })
		kill(t, syscall.SIGCONT, p.PID)
		s.untilState(t, s.After, "COMPLETED")
		s.until(t, "the program that was cut off has ended", func() bool { return syscall.Kill(p.PID, 0) != nil })
		s.jobs(t)
		s.same(t, want)
		t.Logf("log of share 2:\n%s", s.log("2"))
		c.revive(t, s, p.Host)
	})

	t.Run("submitted anew on the other node", func(t *testing.T) {
		s := c.submit(t, "anew", "--of", "1", "--sbatch=--nodelist=w1")
		ended := s.inTheMiddle(t, "1")
		c.slurm(t, "scancel", s.After)
		kill(t, syscall.SIGKILL, ended.PID)
		s.untilState(t, s.task("1"), "FAILED")
		if r := must(t, c.work, "study", "results", "anew"); !strings.Contains(r.stdout, fmt.Sprintf("of the study's %d cells are not done", len(want.Results))) {
			t.Errorf("the results do not say that they are not all:\n%s", r.stdout)
		}
		before := s.log("1")
		s = c.submit(t, "anew", "--of", "1", "--sbatch=--nodelist=w2")
		s.untilState(t, s.After, "COMPLETED")
		s.jobs(t)
		s.same(t, want)
		if n := strings.Count(s.log("1"), "was done before"); n == 0 || n != strings.Count(before, "accuracy") {
			t.Errorf("%d cells were done before:\n%s\nand then\n%s", n, before, s.log("1"))
		}
		s.wentOn(t, ended)
	})

	t.Run("time over", func(t *testing.T) {
		// A submitted job stays as it is. Slurm looks at times each half minute.
		short := []string{"--of", "1", "--time", "2", "--sbatch=--signal=B:USR1@105"}
		s := c.submit(t, "late", append(short, "--sbatch=--nodelist=w1")...)
		c.study(t, 100*epochs)
		hopeless := c.submit(t, "hopeless", append(short, "--sbatch=--nodelist=w2", "--checkpoint-every=1000000")...)
		hopeless.untilState(t, hopeless.task("1"), "FAILED")
		c.study(t, epochs)
		if log := hopeless.log("1"); !strings.Contains(log, "longer --time") || hopeless.job(t, hopeless.task("1"))["Restarts"] != "0" {
			t.Errorf("a job whose time is too short does not say so:\n%s", log)
		}
		s.ends(t, want, "1")
		if n := s.job(t, s.task("1"))["Restarts"]; n == "0" || !strings.Contains(s.log("1"), "the time is over") {
			t.Errorf("a share whose time was over was requeued %s times", n)
		}
	})

	t.Run("refused", func(t *testing.T) {
		base := []string{"study", "submit", "study.yaml", "--slurm", "--data", "recordings", "--out", "refused"}
		for flag, word := range map[string]string{"--partition=nowhere": "nvalid partition", "--mem=900G": "emory specification", "--gpus=8": "configuration is not available",
			"--time=soon": "nvalid --time", "--sbatch=--colour=red": "colour"} {
			r := eegprune(t, c.work, append(base, flag)...)
			t.Logf("%s: %s", flag, r.stderr)
			if oneSentence(t, r, word); r.code != 1 {
				t.Errorf("%s: exit code %d", flag, r.code)
			}
		}
		t.Setenv("PATH", t.TempDir())
		r := eegprune(t, c.work, base...)
		t.Log(r.stderr)
		if oneSentence(t, r, "no sbatch", "--dry-run"); r.code != 1 {
			t.Errorf("without sbatch the exit code is %d", r.code)
		}
		must(t, c.work, append(base, "--dry-run")...)
	})

	t.Run("merged", func(t *testing.T) {
		for _, share := range []string{"1", "2"} {
			must(t, c.work, "study", "run", "study.yaml", "--data", "recordings", "--share", share+"/2", "--out", "part"+share)
		}
		must(t, c.work, "study", "merge", "part1", "part2", "--out", "merged")
		must(t, c.work, "study", "results", "merged")
		submitted{c: c, out: filepath.Join(c.work, "merged")}.same(t, want)
	})
}
