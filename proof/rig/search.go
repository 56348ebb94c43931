package rig

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// LongCodes are not found anywhere by chance, as six digits are in a file full of times and random bytes.
var LongCodes = Settings{"code_alphabet": "A-Z2-9", "code_length": "12", "resend_interval": "0s"}

// forms are a secret as itself, in small letters, spelled out, in hexadecimal, as numbers and in base64 at each of its
// three alignments.
func forms(secret string) map[string][]byte {
	all := map[string][]byte{
		"plain":     []byte(secret),
		"lowercase": []byte(strings.ToLower(secret)),
		"hex":       []byte(hex.EncodeToString([]byte(secret))),
		"HEX":       []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"spaced":    []byte(strings.Join(strings.Split(secret, ""), "\x00")), // UTF-16
		"spelled":   []byte(strings.Join(strings.Split(secret, ""), " ")),
		"numbers":   []byte(strings.Trim(fmt.Sprint([]byte(secret)), "[]")), // as Go prints bytes
	}
	for shift := range 3 {
		// What stands before and after decides the characters at the edges, so they are left out.
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		all[fmt.Sprintf("base64 shifted by %d", shift)] = []byte(encoded[from:to])
		if url := strings.NewReplacer("+", "-", "/", "_").Replace(encoded[from:to]); url != encoded[from:to] {
			all[fmt.Sprintf("base64url shifted by %d", shift)] = []byte(url)
		}
	}
	return all
}

// Search looks for many secrets in all their forms at once.
type Search struct {
	// needles are kept by their first eight bytes; seen has a bit for the hash of each of those. A shorter needle is
	// in short.
	needles map[uint64][]needle
	seen    []uint64
	short   []needle
}

type needle struct {
	secret, form string
	text         []byte
}

const (
	window   = 8
	seenBits = 22
)

// NewSearch prepares a search.
func NewSearch(secrets []string) *Search {
	s := &Search{needles: map[uint64][]needle{}, seen: make([]uint64, 1<<seenBits/64)}
	for _, secret := range secrets {
		for form, text := range forms(secret) {
			n := needle{secret, form, text}
			if len(text) < window {
				s.short = append(s.short, n)
				continue
			}
			key := binary.LittleEndian.Uint64(text)
			s.needles[key] = append(s.needles[key], n)
			s.seen[bit(key)/64] |= 1 << (bit(key) % 64)
		}
	}
	return s
}

// bit is where a window's bit is: the upper bits of a product, which depend on all of the window.
func bit(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> (64 - seenBits) }

// In says which secrets are in the haystack, and in which form, each once.
func (s *Search) In(haystack []byte) (finds []string) {
	told := map[string]bool{}
	tell := func(n *needle, at int) {
		if found := n.secret + " (" + n.form + ")"; !told[found] {
			told[found] = true
			around := haystack[max(0, at-60):min(len(haystack), at+len(n.text)+60)]
			finds = append(finds, fmt.Sprintf("%s in %q", found, around))
		}
	}
	for i := s.next(haystack, 0); i >= 0; i = s.next(haystack, i+1) {
		for _, n := range s.needles[binary.LittleEndian.Uint64(haystack[i:])] {
			if bytes.HasPrefix(haystack[i:], n.text) {
				tell(&n, i)
			}
		}
	}
	for _, n := range s.short {
		if i := bytes.Index(haystack, n.text); i >= 0 {
			tell(&n, i)
		}
	}
	return finds
}

// next is the next place from i on where a needle may begin, negative when there is none. Nobody writes to what it
// reads, and the race detector's look at every byte would cost more than the search.
//
//go:norace
func (s *Search) next(haystack []byte, i int) int {
	for ; i+window <= len(haystack); i++ {
		if b := bit(binary.LittleEndian.Uint64(haystack[i:])); s.seen[b/64]&(1<<(b%64)) != 0 {
			return i
		}
	}
	return -1
}

// Found says which of the secrets are in the haystack, and in which form.
func Found(haystack []byte, secrets []string) (finds []string) {
	return NewSearch(secrets).In(haystack)
}

// Contents are the bytes of the database: SQLite's file and what lies beside it, or all rows of PostgreSQL.
func (db *Database) Contents(t testing.TB) []byte {
	t.Helper()
	var all bytes.Buffer
	if db.Kind() == "sqlite" {
		files, err := filepath.Glob(db.File() + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	} else {
		for _, table := range tables() {
			for _, row := range db.Texts(t, "SELECT r::text FROM "+table+" r") {
				all.WriteString(row + "\n")
			}
		}
	}
	if all.Len() < 1000 {
		t.Fatalf("the database is %d bytes: nothing was searched", all.Len())
	}
	return all.Bytes()
}
