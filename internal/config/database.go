package config

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
)

// Driver names a kind of database.
type Driver string

// The drivers.
const (
	SQLite   Driver = "sqlite"
	Postgres Driver = "postgres"
)

// Database is where everything is kept.
type Database struct {
	Driver Driver
	// Source is the path of the file for SQLite, and the whole URL with its password for PostgreSQL.
	Source string
}

func (d Database) String() string {
	switch d.Driver {
	case SQLite:
		return "sqlite:" + d.Source
	case Postgres:
		u, err := url.Parse(d.Source)
		if err != nil {
			return mask
		}
		return maskURL(u)
	default:
		return ""
	}
}

// GoString keeps the password out of %#v.
func (d Database) GoString() string { return d.String() }

// LogValue keeps the password out of logs.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText keeps the password out of JSON.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads sqlite:PATH or a postgres:// URL. Its error never repeats the text.
func (d *Database) UnmarshalText(text []byte) error {
	scheme, rest, _ := strings.Cut(string(text), ":")
	switch scheme {
	case "sqlite":
		return d.sqlite(rest)
	case "postgres", "postgresql":
		if _, err := parseSecretURL(string(text)); err != nil {
			return err
		}
		*d = Database{Driver: Postgres, Source: string(text)}
		return nil
	default:
		return errors.New("it begins neither with sqlite: nor with postgres://")
	}
}

func (d *Database) sqlite(path string) error {
	if after, found := strings.CutPrefix(path, "//"); found {
		if !strings.HasPrefix(after, "/") {
			return errors.New("two slashes after sqlite: would name a host; write sqlite:PATH")
		}
		path = after
	}
	if path == "" {
		return errors.New("it names no file")
	}
	if strings.Contains(path, "?") {
		return errors.New("a SQLite database takes no options after a question mark")
	}
	*d = Database{Driver: SQLite, Source: path}
	return nil
}
