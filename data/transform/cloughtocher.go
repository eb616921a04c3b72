package transform

// cloughTocher evaluates the cubic of one of the three parts of a triangle in
// Bezier form, as Alfeld (1985) gives it: c[i][j][k] of the papers are named by
// their digits, the fourth for the middle.
func (s *surface) cloughTocher(i int, b [3]float64, values []float64, gradients []point) float64 {
	t := s.triangles[i]
	var f [3]float64
	var d [3][3]float64 // d[p][q]: slope at corner p toward corner q
	for p := range 3 {
		f[p] = values[t[p]]
		for q := range 3 {
			d[p][q] = s.points[t[q]].minus(s.points[t[p]]).dot(gradients[t[p]])
		}
	}
	c3000, c0300, c0030 := f[0], f[1], f[2]
	c2100, c2010 := (d[0][1]+3*f[0])/3, (d[0][2]+3*f[0])/3
	c1200, c0210 := (d[1][0]+3*f[1])/3, (d[1][2]+3*f[1])/3
	c1020, c0120 := (d[2][0]+3*f[2])/3, (d[2][1]+3*f[2])/3
	c2001 := (c2100 + c2010 + c3000) / 3
	c0201 := (c1200 + c0300 + c0210) / 3
	c0021 := (c1020 + c0120 + c0030) / 3

	g := s.normals(i)
	c0111 := (g[0]*(-c0300+3*c0210-3*c0120+c0030) + (-c0300 + 2*c0210 - c0120 + c0021 + c0201)) / 2
	c1011 := (g[1]*(-c0030+3*c1020-3*c2010+c3000) + (-c0030 + 2*c1020 - c2010 + c2001 + c0021)) / 2
	c1101 := (g[2]*(-c3000+3*c2100-3*c1200+c0300) + (-c3000 + 2*c2100 - c1200 + c2001 + c0201)) / 2
	c1002 := (c1101 + c1011 + c2001) / 3
	c0102 := (c1101 + c0111 + c0201) / 3
	c0012 := (c1011 + c0111 + c0021) / 3
	c0003 := (c1002 + c0102 + c0012) / 3

	least := min(b[0], b[1], b[2])
	b1, b2, b3, b4 := b[0]-least, b[1]-least, b[2]-least, 3*least
	return b1*b1*b1*c3000 + 3*b1*b1*b2*c2100 + 3*b1*b1*b3*c2010 + 3*b1*b1*b4*c2001 +
		3*b1*b2*b2*c1200 + 6*b1*b2*b4*c1101 + 3*b1*b3*b3*c1020 + 6*b1*b3*b4*c1011 + 3*b1*b4*b4*c1002 +
		b2*b2*b2*c0300 + 3*b2*b2*b3*c0210 + 3*b2*b2*b4*c0201 + 3*b2*b3*b3*c0120 + 6*b2*b3*b4*c0111 + 3*b2*b4*b4*c0102 +
		b3*b3*b3*c0030 + 3*b3*b3*b4*c0021 + 3*b3*b4*b4*c0012 + b4*b4*b4*c0003
}

// normals says, for each side of a triangle, in which direction the slope
// across it is linear: toward the middle of the neighbour, so that both sides
// agree and the surface is the same after any affine map of the plane.
func (s *surface) normals(i int) [3]float64 {
	var g [3]float64
	for k := range 3 {
		n := s.neighbour[i][k]
		if n < 0 {
			g[k] = -0.5
			continue
		}
		var middle point
		for _, v := range s.triangles[n] {
			middle.x += s.points[v].x / 3
			middle.y += s.points[v].y / 3
		}
		c := s.barycentric(s.triangles[i], middle)
		a, b := c[(k+1)%3], c[(k+2)%3]
		g[k] = (2*b + a - 1) / (2 - 3*b - 3*a)
	}
	return g
}

// parseTriangles reads triples of numbers.
func parseTriangles(text string) [][3]int {
	var list [][3]int
	var t [3]int
	k := 0
	for _, r := range text {
		switch r {
		case ',':
			k++
		case ' ':
			list, t, k = append(list, t), [3]int{}, 0
		default:
			t[k] = 10*t[k] + int(r-'0')
		}
	}
	return append(list, t)
}

// delaunay cuts the hull of points into triangles whose circumcircles hold no
// other point. Points on one circle, which a grid is full of, are told apart by
// moving each a little, always in the same way.
func delaunay(points []point) [][3]int {
	moved := make([]point, len(points))
	for i, p := range points {
		h := uint32(i+1) * 2654435761
		moved[i] = point{p.x + 1e-5*float64(h>>16&0xFF)/256, p.y + 1e-5*float64(h>>24)/256}
	}
	var list [][3]int
	for a := range points {
		for b := a + 1; b < len(points); b++ {
			for c := b + 1; c < len(points); c++ {
				t := [3]int{a, b, c}
				area := points[b].minus(points[a]).cross(points[c].minus(points[a]))
				if area == 0 || !emptyCircle(moved, t) {
					continue
				}
				if area < 0 {
					t[1], t[2] = t[2], t[1]
				}
				list = append(list, t)
			}
		}
	}
	return list
}

// emptyCircle reports whether the circle through three points holds no other.
func emptyCircle(p []point, t [3]int) bool {
	a, b, c := p[t[0]], p[t[1]], p[t[2]]
	side := b.minus(a).cross(c.minus(a))
	for i, q := range p {
		if i == t[0] || i == t[1] || i == t[2] {
			continue
		}
		x, y, z := a.minus(q), b.minus(q), c.minus(q)
		det := x.dot(x)*y.cross(z) + y.dot(y)*z.cross(x) + z.dot(z)*x.cross(y)
		if det*side > 0 {
			return false
		}
	}
	return true
}
