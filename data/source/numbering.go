package source

// numbering gives trials their numbers within subject and session where file
// names don't.
type numbering struct {
	manifest *Manifest
	session  [2]string
	before   int // trials of this session in earlier files
	most     int // highest number so far
}

func (n *numbering) number(r *Recording, f File) {
	if session := [2]string{r.Subject, r.Session}; session != n.session {
		n.session, n.before, n.most = session, 0, 0
	}
	switch {
	case n.manifest.Trials.Seconds > 0: // every part is a trial of its own
		n.most++
		r.Trial = n.most
	case f.Trial > 0:
		r.Trial = f.Trial
	case r.ownTrial:
	default:
		r.Trial += n.before
		n.most = max(n.most, r.Trial)
	}
}

func (n *numbering) nextFile() { n.before = n.most }
