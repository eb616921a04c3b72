package montage

import (
	"math"
	"strconv"
	"strings"
)

// A Point is a place on the unit sphere that stands for the head: X to the
// right ear, Y to the nose, Z up.
type Point struct{ X, Y, Z float64 }

// Distance returns the straight distance between two points.
func (p Point) Distance(q Point) float64 {
	return math.Sqrt((p.X-q.X)*(p.X-q.X) + (p.Y-q.Y)*(p.Y-q.Y) + (p.Z-q.Z)*(p.Z-q.Z))
}

// Position returns where an electrode lies on the unit sphere, by the
// construction of the 10-10 system (Oostenveld & Praamstra, Clin Neurophysiol
// 2001, 112:713): the midline is cut in steps of 18 degrees, the outer ring
// lies 18 degrees above the equator, and a row runs on a great circle from the
// ring to the midline. SEED's cerebellar CB1 and CB2 lie where O9 and O10 do,
// but higher by a quarter of the way.
func Position(electrode string) (Point, bool) {
	for r, row := range rows {
		for _, e := range strings.Fields(row) {
			if e == electrode {
				return place(r, e), true
			}
		}
	}
	return Point{}, false
}

// step is a tenth of the half circle between the ends of the midline.
const step = math.Pi / 10

func place(r int, e string) Point {
	letters := strings.TrimRight(e, "0123456789z")
	azimuth := math.Pi / 2
	if r > 5 { // behind the vertex, which is row 5
		azimuth = -azimuth
	}
	middle := sphere(math.Abs(float64(r-5))*step, azimuth)
	number, err := strconv.Atoi(e[len(letters):])
	if err != nil { // a z
		return middle
	}
	rank := (number + 1) / 2 // 1 beside the midline ... 4 on the outer ring, 5 below it
	right := number%2 == 0
	switch {
	case letters == "Fp" || (letters == "O" && rank == 1):
		return ring(r, 4, right)
	case letters == "O":
		return ring(9, 5, right)
	case letters == "CB":
		return ring(r, 4.75, right)
	case rank == 5:
		return ring(r, 5, right)
	}
	return slerp(middle, ring(r, 4, right), float64(rank)/4)
}

// ring is the place where row r meets the circle that lies the given number of
// steps from the vertex.
func ring(r int, steps float64, right bool) Point {
	p := sphere(steps*step, float64(5-r)*step)
	if !right {
		p.X = -p.X
	}
	return p
}

func sphere(angle, azimuth float64) Point {
	return Point{math.Sin(angle) * math.Cos(azimuth), math.Sin(angle) * math.Sin(azimuth), math.Cos(angle)}
}

// slerp goes the part t of the great circle from p to q.
func slerp(p, q Point, t float64) Point {
	w := math.Acos(max(-1, min(1, p.X*q.X+p.Y*q.Y+p.Z*q.Z)))
	a, b := math.Sin((1-t)*w)/math.Sin(w), math.Sin(t*w)/math.Sin(w)
	return Point{a*p.X + b*q.X, a*p.Y + b*q.Y, a*p.Z + b*q.Z}
}
