package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// OpenUnlabelled is [Open] where labels don't matter, as a trained network is to say them.
// The path may also be that of one file, which is then taken whole, whatever labels a
// manifest has for parts of it, and need not be named as the manifest in its directory
// asks. Of a directory whose labels are known, the recordings are those that have one.
func OpenUnlabelled(path, manifest string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking for recordings: %w", err)
	}
	dir, names := path, []string(nil)
	if info.IsDir() {
		if names, err = listFiles(dir); err != nil {
			return nil, err
		}
	} else {
		dir, names = filepath.Dir(path), []string{filepath.Base(path)}
		if _, err := os.Stat(filepath.Join(dir, ManifestName)); err == nil {
			names = append(names, ManifestName)
		}
	}
	m, origin, err := chooseManifest(dir, manifest, names)
	if err != nil {
		return nil, err
	}
	if _, ok := m.groups(names[0]); !ok && !info.IsDir() && manifest == "" {
		if implied := impliedManifest("", names[:1]); implied != nil {
			m, origin = implied, impliedOrigin
		}
	}
	if !info.IsDir() {
		blind := *m
		blind.Label = LabelRule{}
		m = &blind
	}
	s := &Source{Dir: dir, Manifest: m, Origin: origin}
	if err := s.useManifestMontage(); err != nil {
		return nil, err
	}
	if m.Format == bidsFormat {
		if err := s.openBIDS(names); err != nil {
			return nil, err
		}
	}
	if err := s.choose(names); err != nil {
		return nil, err
	}
	s.useOwnPlaces()
	if origin == impliedOrigin && m.Format == "npy" {
		s.describe()
	}
	return s, nil
}

// Pick has only these electrodes read, in this order.
func (s *Source) Pick(electrodes []string) {
	m := *s.Manifest
	m.Channels.Pick = slices.Clone(electrodes)
	s.Manifest = &m
}
