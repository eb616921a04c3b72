//go:build unix

package data

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/source"
)

// forbiddenDir tells the test, run again by somebody else, where the recordings are.
const forbiddenDir = "EEGPRUNE_FORBIDDEN_DIR"

// TestForbiddenFile: root may read everything, so that where the test is root's it
// runs itself again as nobody.
func TestForbiddenFile(t *testing.T) {
	dir := os.Getenv(forbiddenDir)
	if dir == "" {
		dir = filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t), "s2_1_sad.edf": filetest.Plain().Bytes(t)})
		if err := errors.Join(os.Chmod(filepath.Join(dir, "s1_2_glad.edf"), 0), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			runAsNobody(t, dir)
			return
		}
	}
	if _, err := features(t.Context(), dir); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "s1_2_glad.edf") || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("forbidden file: %v", err)
	}
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (Cache{t.TempDir()}).Features(t.Context(), s, GridOptions()); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("forbidden file of cached features: %v", err)
	}
	o := GridOptions()
	o.SkipBad = true
	// One class is left: nothing to learn, which is said only once the file is skipped.
	if _, _, err := (Cache{t.TempDir()}).Features(t.Context(), s, o); err == nil || errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "class") {
		t.Errorf("forbidden file that is to be skipped: %v", err)
	}
}

// runAsNobody runs the calling test alone. The program is named as the system knows
// it: nobody may look into the directory in which it was built.
func runAsNobody(t *testing.T, dir string) {
	t.Helper()
	c := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	c.Dir = "/"
	c.Env = append(os.Environ(), forbiddenDir+"="+dir, "TMPDIR=/tmp")
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
