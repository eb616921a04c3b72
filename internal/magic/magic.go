// Package magic tells the kind of a file by its first bytes, for messages about files of
// another kind than was asked for.
package magic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Length is how many bytes of a file are enough.
const Length = 512

// known are beginnings of files, with their kinds and remedies.
var known = []struct{ begin, is, mend string }{
	{"version https://git-lfs", "a pointer of Git LFS and not the file itself", "get that by git lfs pull"},
	{"version http://git-media", "a pointer of Git LFS and not the file itself", "get that by git lfs pull"},
	{"/annex/objects/", "a pointer of git-annex and not the file itself", "get that by git annex get, or datalad get"},
	{"\x89HDF\r\n\x1a\n", "HDF5 (Keras's .h5, MATLAB's -v7.3, NetCDF)", ""},
	{"PK\x03\x04", "a zip archive", ""},
	{"PK\x05\x06", "an empty zip archive", ""},
	{"\x1f\x8b", "compressed by gzip", "unpack it by gunzip"},
	{"BZh", "compressed by bzip2", "unpack it by bunzip2"},
	{"\xfd7zXZ\x00", "compressed by xz", "unpack it by unxz"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"},
	{"Rar!", "a RAR archive", "unpack it"},
	{"\x93NUMPY", "a NumPy array", ""},
	{"MATLAB 5.0 MAT-file", "a MAT file", ""},
	{"GDF ", "a GDF recording", ""},
	{"XDF:", "an XDF recording", ""},
	{"Version 3.0", "a recording of NeuroScan", ""},
	{"Brain Vision Data Exchange", "a header of BrainVision", ""},
	{"BrainVision Data Exchange", "a header of BrainVision", ""},
	{"\x00\x00\x00\x64\x00\x00\x00\x1f", "a FIF recording", ""},
	{"%PDF", "a PDF document", ""},
	{"<?xml", "an XML document", ""},
}

// Name returns the kind of a file that begins with b, and a remedy where there is one; both
// are empty where the kind isn't known.
func Name(b []byte) (is, mend string) {
	if len(b) == 0 {
		return "empty", "get it again"
	}
	for _, k := range known {
		if bytes.HasPrefix(b, []byte(k.begin)) {
			return k.is, k.mend
		}
	}
	start := bytes.ToLower(bytes.TrimSpace(b))
	for _, page := range []string{"<!doctype html", "<html"} {
		if bytes.HasPrefix(start, []byte(page)) {
			return "a page of the web", "its download failed or wants a login: get it again"
		}
	}
	if zeros(b) && len(b) >= Length {
		return "filled with zeros where it should begin", "its copy failed: get it again"
	}
	return "", ""
}

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// File is [Name] of a file, and nothing where it can't be read.
func File(path string) (is, mend string) {
	f, err := os.Open(path)
	if err != nil {
		return "", ""
	}
	b := make([]byte, Length)
	n, err := io.ReadFull(f, b)
	if e := f.Close(); e != nil || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", ""
	}
	return Name(b[:n])
}

// Explain adds a remedy to the error of a file: for an error of the system, or for a file of a
// kind that has one, whose kind it then names.
func Explain(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: change its permissions (chmod u+r) or leave it out", err)
	case errors.Is(err, fs.ErrNotExist):
		if link, e := os.Readlink(path); e == nil {
			return fmt.Errorf("%s is a link to content that is not there (%s), as git-annex and DataLad leave them: get it by datalad get or git annex get, or leave it out", path, link)
		}
		return fmt.Errorf("%w: it was there when the directory was listed; put it back or try again", err)
	}
	is, help := File(path)
	switch {
	case strings.HasPrefix(is, "a pointer"):
		return fmt.Errorf("%s is %s: %s", path, is, help)
	case help != "":
		return fmt.Errorf("%w; it is %s: %s", err, is, help)
	}
	return err
}
