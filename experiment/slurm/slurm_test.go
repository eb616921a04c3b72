package slurm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// jobs are the jobs of a study whose directories have names that a shell would take apart.
func jobs(t *testing.T) (j Jobs, study string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("study.yaml", []byte("name: it's mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return Jobs{Name: "mine", CPUs: 2, Shares: 3, Options: []string{"--account=lab"}, Program: "/opt/it's here/eegprune",
		Dir: "results of $HOME", Data: "/data/my recordings", Cache: "cache", Device: "auto"}, "study.yaml"
}

// runArray runs the array's script as Slurm runs a task, with a program that tells its arguments.
func runArray(t *testing.T, j Jobs, s Scripts) (args []string) {
	t.Helper()
	c := exec.Command("bash", s.Array)
	c.Dir = s.Dir
	c.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID=2", "SLURM_ARRAY_JOB_ID=7", "SLURM_JOB_ID=9", "SLURM_CPUS_PER_TASK=2", "SLURMD_NODENAME=w1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	first, rest, _ := strings.Cut(string(out), "\n")
	if !strings.HasPrefix(first, "share 2/3 on w1, job 7_2, requeued 0 times") {
		t.Errorf("the log begins with %q", first)
	}
	return strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
}

func TestTasksRunTheirShare(t *testing.T) {
	j, study := jobs(t)
	work, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	j.Program = filepath.Join(work, "it's eegprune")
	if err := os.WriteFile(j.Program, []byte("#!/bin/bash\nprintf '%s\\n' \"$PWD\" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, more := range []struct {
		board string
		every int
		want  []string
	}{{"", 0, nil}, {"board", 5, []string{"--checkpoint-every", "5", "--tensorboard", filepath.Join(work, "board")}}} {
		j.Board, j.Every = more.board, more.every
		s, err := j.Write(study)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(work, "results of $HOME")
		want := append([]string{work, "study", "run", filepath.Join(dir, "slurm", "study.yaml"), "--share", "2/3", "--out", dir, "--jobs", "2",
			"--device", "auto", "--cache", filepath.Join(work, "cache"), "--data", "/data/my recordings"}, more.want...)
		if got := runArray(t, j, s); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("a task runs\n%q, want\n%q", got, want)
		}
		if kept, err := os.ReadFile(filepath.Join(dir, "slurm", "study.yaml")); err != nil || string(kept) != "name: it's mine\n" {
			t.Errorf("the copy of the study is %q (%v)", kept, err)
		}
	}
}

func TestScriptsAskForWhatIsSet(t *testing.T) {
	j, study := jobs(t)
	options := func(j Jobs) (array, report string) {
		s, err := j.Write(study)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]*string{s.Array: &array, s.Report: &report} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			*text = string(b)
		}
		return array, report
	}
	array, report := options(j)
	for _, line := range []string{"--job-name=mine", "--array=1-3", "--requeue", "--cpus-per-task=2", "--account=lab"} {
		if !strings.Contains(array, "\n#SBATCH "+line+"\n") {
			t.Errorf("the array lacks %s:\n%s", line, array)
		}
	}
	for _, option := range []string{"--partition", "--time", "--mem", "--gres"} {
		if strings.Contains(array, "#SBATCH "+option) {
			t.Errorf("the array asks for %s, which nobody set", option)
		}
	}
	if !strings.Contains(report, "\n#SBATCH --job-name=mine-report\n") || !strings.Contains(report, "\n#SBATCH --account=lab\n") {
		t.Errorf("the report is asked for by\n%s", report)
	}
	j.Partition, j.Time, j.Memory, j.GPUs = "main", "2:00:00", "8G", "a100:1"
	array, report = options(j)
	for _, line := range []string{"--partition=main", "--time=2:00:00", "--mem=8G", "--gres=gpu:a100:1"} {
		if !strings.Contains(array, "\n#SBATCH "+line+"\n") {
			t.Errorf("the array lacks %s:\n%s", line, array)
		}
	}
	if !strings.Contains(report, "--partition=main") || strings.Contains(report, "--gres") || strings.Contains(report, "--time") {
		t.Errorf("the report is asked for by\n%s", report)
	}
}

func TestJobsThatCantBeAskedFor(t *testing.T) {
	good, study := jobs(t)
	for name, spoil := range map[string]func(*Jobs){
		"0 shares":        func(j *Jobs) { j.Shares = 0 },
		"0 CPUs":          func(j *Jobs) { j.CPUs = 0 },
		`"main\n#SBATCH"`: func(j *Jobs) { j.Partition = "main\n#SBATCH" },
		`"$(reboot)"`:     func(j *Jobs) { j.Device = "$(reboot)" },
		`"--comment=a b"`: func(j *Jobs) { j.Options = []string{"--comment=a b"} },
	} {
		j := good
		spoil(&j)
		if _, err := j.Write(study); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := os.Stat(good.Dir); err == nil {
		t.Error("scripts were written of jobs that can't be asked for")
	}
}

// sbatchSays puts an sbatch on the path that records its arguments, in calls, and does this.
func sbatchSays(t *testing.T, does string) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	script := "#!/bin/bash\necho \"$PWD\" \"$@\" >> " + calls + "\n" + does + "\n"
	if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return calls
}

func TestReportFollowsTheArray(t *testing.T) {
	j, study := jobs(t)
	s, err := j.Write(study)
	if err != nil {
		t.Fatal(err)
	}
	calls := sbatchSays(t, `echo "Welcome to the cluster" >&2; case "$*" in *afterany*) echo "12;lab";; *) echo "11;lab";; esac`)
	array, report, err := s.Submit(context.Background())
	if err != nil || array != "11" || report != "12" {
		t.Errorf("jobs %s and %s (%v)", array, report, err)
	}
	b, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Dir + " --parsable " + s.Array + "\n" + s.Dir + " --parsable --dependency=afterany:11 " + s.Report + "\n"
	if string(b) != want {
		t.Errorf("sbatch was called as\n%s, want\n%s", b, want)
	}
}

func TestRefusedJobs(t *testing.T) {
	j, study := jobs(t)
	s, err := j.Write(study)
	if err != nil {
		t.Fatal(err)
	}
	for does, want := range map[string]string{
		`echo "Welcome" >&2; echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1`: "Slurm refused the job: Invalid partition name specified",
		`echo "sbatch: unrecognized option '--colour=red'" >&2; exit 1`:                                                       "Slurm refused the job: unrecognized option '--colour=red'",
		`exit 3`: "Slurm refused the job: exit status 3",
		`case "$*" in *afterany*) echo "sbatch: error: no more" >&2; exit 1;; *) echo 11;; esac`: "the array is job 11, but the job that makes the report was not submitted: Slurm refused the job: no more",
	} {
		sbatchSays(t, does)
		if _, _, err := s.Submit(context.Background()); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", does, err, want)
		}
	}
}
