package rig

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// LongCodes are not found anywhere by chance, as six digits are in a file full of times and random bytes.
var LongCodes = Settings{"code_alphabet": "A-Z2-9", "code_length": "12", "resend_interval": "0s"}

// forms are a secret as itself, in small letters, in hexadecimal and in base64 at each of its three alignments.
func forms(secret string) map[string][]byte {
	all := map[string][]byte{
		"plain":     []byte(secret),
		"lowercase": []byte(strings.ToLower(secret)),
		"hex":       []byte(hex.EncodeToString([]byte(secret))),
		"HEX":       []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"spaced":    []byte(strings.Join(strings.Split(secret, ""), "\x00")), // UTF-16
	}
	for shift := range 3 {
		// What stands before and after decides the characters at the edges, so they are left out.
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		all[fmt.Sprintf("base64 shifted by %d", shift)] = []byte(encoded[from:to])
	}
	return all
}

// Found says which of the secrets are in the haystack, and in which form.
func Found(haystack []byte, secrets []string) (finds []string) {
	for _, secret := range secrets {
		for form, needle := range forms(secret) {
			if i := bytes.Index(haystack, needle); i >= 0 {
				around := haystack[max(0, i-60):min(len(haystack), i+len(needle)+60)]
				finds = append(finds, fmt.Sprintf("%s (%s) in %q", secret, form, around))
			}
		}
	}
	return finds
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
