// Command site builds the documentation as pages of HTML from the Markdown in docs/.
//
// Usage:
//
//	go run ./internal/site [-root .] [-out build/site]
//
// The pages have one style sheet and no script, and ask nothing of another host. Files that they
// link to are copied beside them. A link that leads nowhere is an error.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "directory of the repository")
	out := flag.String("out", filepath.Join("build", "site"), "directory for the pages, new, empty or a site")
	flag.Parse()
	if err := Build(*root, *out); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
	fmt.Println(filepath.Join(*out, "index.html"))
}
