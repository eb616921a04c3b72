package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/internal/natural"
)

// A File is a file of a set that is wanted.
type File struct {
	Name    string `json:"name"`              // below the directory, with slashes
	Subject string `json:"subject,omitempty"` // whose it is; empty where it is of all
	Size    int64  `json:"size"`              // bytes; -1 where the source doesn't say it
	Present bool   `json:"present,omitempty"` // whether it was there before

	sum string // SHA-256 (64 digits) or MD5 (32), in lower case; empty where the source has none
	tag string // by which the source tells versions of the file apart; empty where it has none
}

// sums is the list of checksums that each of PhysioNet's data sets has.
const sums = "SHA256SUMS.txt"

const (
	maxList  = 32 << 20 // bounds a list of checksums, or one page of a bucket's list
	maxPages = 1000     // and how many pages there are: a million objects
)

// list gets the files that are wanted.
func (f *fetcher) list(ctx context.Context, match *regexp.Regexp) ([]File, error) {
	read := f.listSums
	if f.set.listing == byBucket {
		read = f.listBucket
	}
	files, err := read(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the list of files of %s: %w", f.set.Name, err)
	}
	subject := match.SubexpIndex("subject")
	var wanted []File
	for _, w := range files {
		m := match.FindStringSubmatch(w.Name)
		if m == nil {
			continue
		}
		// A name must not lead out of the directory.
		if !filepath.IsLocal(filepath.FromSlash(w.Name)) || path.Clean(w.Name) != w.Name {
			return nil, fmt.Errorf("%s lists %.100q, which is no name of a file in the data set", f.set.URL, w.Name)
		}
		if n := len(w.sum); n != 0 && n != 2*md5.Size && n != 2*sha256.Size {
			return nil, fmt.Errorf("%s lists %q for %s, which is no checksum", f.set.URL, w.sum, w.Name)
		}
		if subject >= 0 {
			w.Subject = m[subject]
		}
		wanted = append(wanted, w)
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("%s lists no file that matches %s", f.set.URL, match)
	}
	slices.SortFunc(wanted, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return wanted, nil
}

// text gets a list of bounded size.
func (f *fetcher) text(ctx context.Context, address string) (b []byte, err error) {
	err = f.retry(ctx, func() (bool, error) {
		body, err := f.get(ctx, address, 0, "")
		if err != nil {
			return false, err
		}
		defer body.Close()
		if b, err = io.ReadAll(io.LimitReader(body, maxList+1)); len(b) > maxList {
			err = final("%s has more than %d bytes, which no list of files has", address, maxList)
		}
		return false, err
	})
	return b, err
}

// listSums reads a list of SHA-256 sums and names.
func (f *fetcher) listSums(ctx context.Context) ([]File, error) {
	b, err := f.text(ctx, f.set.URL+sums)
	if err != nil {
		return nil, err
	}
	var list []File
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), " ")
		name = strings.TrimPrefix(strings.TrimLeft(name, " *"), "./")
		if !ok || name == "" {
			continue
		}
		list = append(list, File{Name: name, Size: -1, sum: strings.ToLower(sum)})
	}
	return list, lines.Err()
}

// An objectPage is a part of S3's answer to a ListObjectsV2 request.
type objectPage struct {
	Contents []struct {
		Key  string
		Size int64
		ETag string
	}
	IsTruncated           bool
	NextContinuationToken string
}

// listBucket reads the list of the objects below the directory. An object that was uploaded as
// one has the MD5 of its bytes for a tag; one that was uploaded in parts has a tag with a hyphen,
// which is no checksum.
func (f *fetcher) listBucket(ctx context.Context) ([]File, error) {
	bucket, prefix := path.Split(strings.TrimSuffix(f.set.URL, "/"))
	bucket, prefix = strings.TrimSuffix(bucket, "/"), prefix+"/"
	var list []File
	token := ""
	for range maxPages {
		q := url.Values{"list-type": {"2"}, "prefix": {prefix}}
		if token != "" {
			q.Set("continuation-token", token)
		}
		b, err := f.text(ctx, bucket+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		var page objectPage
		if err := xml.Unmarshal(b, &page); err != nil {
			return nil, fmt.Errorf("%s gives no list of its objects: %w", bucket, err)
		}
		for _, o := range page.Contents {
			name, ok := strings.CutPrefix(o.Key, prefix)
			if !ok || name == "" || strings.HasSuffix(name, "/") || o.Size < 0 {
				continue
			}
			w := File{Name: name, Size: o.Size, tag: strings.Trim(o.ETag, `"`)}
			if isMD5(w.tag) {
				w.sum = strings.ToLower(w.tag)
			}
			list = append(list, w)
		}
		if !page.IsTruncated {
			return list, nil
		}
		if token = page.NextContinuationToken; token == "" {
			break
		}
	}
	return nil, fmt.Errorf("the list of %s doesn't end", bucket)
}

var md5Sum = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)

func isMD5(tag string) bool { return md5Sum.MatchString(tag) }

// size asks how large a file is; -1 where the source doesn't say it.
func (f *fetcher) size(ctx context.Context, name string) (int64, error) {
	n := int64(-1)
	err := f.retry(ctx, func() (bool, error) {
		q, err := http.NewRequestWithContext(ctx, http.MethodHead, f.address(name), nil)
		if err != nil {
			return false, err
		}
		a, err := f.client.Do(q)
		if err != nil {
			return false, err
		}
		if a.StatusCode == http.StatusOK {
			n = a.ContentLength
		}
		return false, a.Body.Close()
	})
	return n, err
}

// of returns the files of some subjects and those of all. Subjects are named as in the set, by
// number, or several by their first and last number: "3-5".
func of(files []File, subjects []string) ([]File, error) {
	if len(subjects) == 0 {
		return files, nil
	}
	var known []string
	for _, w := range files {
		if w.Subject != "" && !slices.Contains(known, w.Subject) {
			known = append(known, w.Subject)
		}
	}
	slices.SortFunc(known, natural.Compare)
	wanted := map[string]bool{"": true}
	for _, s := range numbered(subjects) {
		i := slices.IndexFunc(known, func(k string) bool { return sameSubject(k, s) })
		if i < 0 {
			return nil, fmt.Errorf("there is no subject %s: there are %s to %s, %d of them", s, known[0], known[len(known)-1], len(known))
		}
		wanted[known[i]] = true
	}
	return slices.DeleteFunc(files, func(w File) bool { return !wanted[w.Subject] }), nil
}

// maxSubjects bounds how many a range of numbers is.
const maxSubjects = 10000

// numbered writes ranges of numbers out.
func numbered(subjects []string) []string {
	var all []string
	for _, s := range subjects {
		from, to, _ := strings.Cut(s, "-")
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first > last || last-first > maxSubjects {
			all = append(all, s)
			continue
		}
		for n := first; n <= last; n++ {
			all = append(all, strconv.Itoa(n))
		}
	}
	return all
}

func sameSubject(known, named string) bool {
	named = strings.TrimPrefix(named, "sub-")
	if known == named {
		return true
	}
	a, err1 := strconv.Atoi(known)
	b, err2 := strconv.Atoi(named)
	return err1 == nil && err2 == nil && a == b
}
