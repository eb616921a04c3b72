package fetch

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/eegprune/eegprune/internal/atomicfile"
)

// attempts is how often a file is tried without a byte of progress.
const attempts = 5

// A finalError is one that trying again won't change.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

func final(format string, args ...any) error { return finalError{fmt.Errorf(format, args...)} }

// errRange is a server that can't go on where a download stopped.
var errRange = errors.New("the server doesn't have the rest of the file")

// get asks for a file from the given byte on, in the version that tag names, if it does. The body
// begins there, or at 0 if from is 0.
func (f *fetcher) get(ctx context.Context, address string, from int64, tag string) (io.ReadCloser, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, finalError{err}
	}
	if from > 0 {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	if tag != "" {
		q.Header.Set("If-Match", `"`+tag+`"`)
	}
	a, err := f.client.Do(q)
	if err != nil {
		return nil, err
	}
	switch {
	case from == 0 && a.StatusCode == http.StatusOK, from > 0 && a.StatusCode == http.StatusPartialContent:
		return a.Body, nil
	case from > 0 && (a.StatusCode == http.StatusOK || a.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		err = errRange
	case a.StatusCode >= 500 || a.StatusCode == http.StatusTooManyRequests:
		err = fmt.Errorf("%s answers %s", address, a.Status)
	case a.StatusCode == http.StatusPreconditionFailed:
		err = final("the file was changed at its source since the list of files was got: run the same command again")
	default:
		err = final("%s answers %s: see in a browser whether it is still there, or get it from a mirror", address, a.Status)
	}
	return nil, errors.Join(err, a.Body.Close())
}

// retry calls do until it succeeds, the context ends, the error is final, or it
// has failed several times in a row without progress.
func (f *fetcher) retry(ctx context.Context, do func() (progress bool, err error)) error {
	pause := cmp.Or(f.options.Pause, time.Second)
	for tried := 1; ; tried++ {
		progress, err := do()
		var last finalError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &last):
			return err
		case tried >= attempts && !progress:
			return fmt.Errorf("tried %d times: %w; what has come so far is kept: run the same command again to go on", tried, err)
		}
		if progress {
			tried = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause << min(tried, 5)):
		}
	}
}

// download gets a file into a part beside target, going on where an
// earlier one stopped, checks it and renames it.
func (f *fetcher) download(ctx context.Context, w File, target string) (int64, error) {
	part := f.part(w)
	var total int64
	farthest := sizeOf(part) // bytes that came again, from a server that can't go on, is no progress
	err := f.retry(ctx, func() (bool, error) {
		n, err := f.goOn(ctx, w, part)
		total += n
		before := farthest
		farthest = max(farthest, sizeOf(part))
		return farthest > before, err
	})
	if err != nil {
		return total, err
	}
	if err := w.check(part); err != nil {
		return total, errors.Join(err, os.Remove(part))
	}
	if err := atomicfile.Rename(part, target); err != nil {
		return total, err
	}
	return total, removeParts(target)
}

// removeParts removes the partial downloads of other versions of a file.
func removeParts(target string) error {
	parts, err := filepath.Glob(globEscape(target) + "*.part")
	if err != nil {
		return err
	}
	for _, p := range parts {
		err = errors.Join(err, os.Remove(p))
	}
	return err
}

// globEscape makes a pattern of a path that matches it alone.
func globEscape(path string) string {
	var b []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[':
			b = append(b, '[', path[i], ']')
		case '\\':
			b = append(b, '\\', '\\')
		default:
			b = append(b, path[i])
		}
	}
	return string(b)
}

// check returns an error where a file differs from its source's size or checksum.
func (w File) check(path string) error {
	switch have := sizeOf(path); {
	case w.Size >= 0 && have != w.Size:
		return w.wrongSize(have)
	case w.sum != "" && !sumMatches(path, w.sum):
		return fmt.Errorf("its checksum isn't %s: what came is damaged, or the data set has changed; it is removed, try again", w.sum)
	}
	return nil
}

func (w File) wrongSize(have int64) error {
	return fmt.Errorf("%d bytes came and its source says %d: what came is damaged, or the data set has changed; it is removed, try again", have, w.Size)
}

// goOn appends the missing bytes to the part. It returns how many bytes came.
func (f *fetcher) goOn(ctx context.Context, w File, part string) (n int64, err error) {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, finalError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, finalError{err}
	}
	if (have > 0 || w.Size == 0) && w.check(part) == nil && (w.sum != "" || w.Size >= 0) {
		return 0, nil // stopped between the last byte and the renaming
	}
	if w.Size >= 0 && have >= w.Size { // it can't be the beginning of the file
		if have, err = 0, restart(file); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.stall(), func() { cancel(errStalled) })
	defer watch.Stop()
	body, err := f.get(ctx, f.address(w.Name), have, w.tag)
	if errors.Is(err, errRange) {
		if err := restart(file); err != nil {
			return 0, err
		}
		have = 0
		body, err = f.get(ctx, f.address(w.Name), 0, w.tag)
	}
	if err != nil {
		return 0, err
	}
	var in io.Reader = watched{body, func() { watch.Reset(f.stall()) }}
	if w.Size >= 0 { // one byte more is enough to see that it is another file
		in = io.LimitReader(in, w.Size-have+1)
	}
	n, err = io.Copy(disk{file}, in)
	if errors.Is(context.Cause(ctx), errStalled) {
		err = errStalled
	}
	if err == nil && have+n < w.Size { // it was sent whole: the same would come again
		err = errors.Join(finalError{w.wrongSize(have + n)}, os.Remove(part))
	}
	return n, errors.Join(err, body.Close())
}

// restart empties a part.
func restart(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return finalError{err}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return finalError{err}
	}
	return nil
}

// disk is a file whose errors no server mends.
type disk struct{ file *os.File }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.file.Write(b)
	if err != nil {
		err = final("%w; what has come so far is kept: make room and run the same command again to go on", err)
	}
	return n, err
}

// errStalled is a connection over which nothing comes.
var errStalled = errors.New("nothing has come for a while")

func (f *fetcher) stall() time.Duration { return cmp.Or(f.options.Stall, time.Minute) }

// watched tells of every read that brings something.
type watched struct {
	io.Reader
	alive func()
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.alive()
	}
	return n, err
}

// isThere reports whether a file is whole in its place.
func isThere(path string, w File) bool {
	return sizeOf(path) >= 0 && (w.sum != "" || w.Size >= 0) && w.check(path) == nil
}

// sizeOf is the size of a file, -1 where there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return -1
	}
	return info.Size()
}

// sumMatches reports whether the file is there and has that SHA-256 or MD5.
func sumMatches(path, sum string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	var h hash.Hash = sha256.New()
	if len(sum) == 2*md5.Size {
		h = md5.New()
	}
	_, err = io.Copy(h, f)
	return errors.Join(err, f.Close()) == nil && hex.EncodeToString(h.Sum(nil)) == sum
}
