package provider_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func kind(t testing.TB, name string) provider.Kind {
	t.Helper()
	k, err := provider.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKindsAreCompleteAndSorted(t *testing.T) {
	var names []string
	for _, k := range provider.Kinds() {
		names = append(names, k.Name)
		if k.Doc == "" || !strings.HasSuffix(k.Doc, ".") || len(k.Channels) == 0 || k.Open == nil {
			t.Errorf("%s: doc, channels or Open is missing", k.Name)
		}
		for _, c := range k.Channels {
			if c != outbox.Email && c != outbox.SMS {
				t.Errorf("%s: unknown channel %q", k.Name, c)
			}
		}
		seen := map[string]bool{}
		for _, f := range k.Fields() {
			if f.Name == "" || f.Help == "" || !strings.HasSuffix(f.Help, ".") || seen[f.Name] {
				t.Errorf("%s: setting %q lacks a name, a sentence, or comes twice", k.Name, f.Name)
			}
			seen[f.Name] = true
			if len(f.OneOf) > 0 && !slices.Contains(f.OneOf, f.Default) {
				t.Errorf("%s: the default %q of %s is no choice", k.Name, f.Default, f.Name)
			}
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("got %v, want alphabetical order", names)
	}
}

func TestFindSuggests(t *testing.T) {
	for name, want := range map[string]string{
		"smpt":    "did you mean smtp?",
		"webhok":  "did you mean webhook?",
		"WEBHOOK": "did you mean webhook?",
		"x":       "known are ",
	} {
		if _, err := provider.Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestParseAndParseJSONAgree(t *testing.T) {
	k := kind(t, "smtp")
	a, err := k.Parse(map[string]string{"host": "mail.example.org", "port": "2525", "from": "a@example.org",
		"insecure": "true", "idle": "2m"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.ParseJSON([]byte(`{"host":"mail.example.org","port":2525,"from":"a@example.org","insecure":true,"idle":"2m","helo":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got %+v and %+v", a, b)
	}
	if got := reflect.ValueOf(a).FieldByName("Idle").Int(); got != int64(2*time.Minute) {
		t.Errorf("got idle %d", got)
	}
	if got := reflect.ValueOf(a).FieldByName("TLS").String(); got != "starttls" {
		t.Errorf("got tls %q, want the default", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		values map[string]string
		want   string
	}{
		{map[string]string{"hots": "x"}, `unknown setting "hots"; did you mean host?`},
		{map[string]string{"from": "a@b.example"}, "setting host is missing"},
		{map[string]string{"host": "h", "from": "a@b.example", "port": "smtp"}, "setting port: wrong type: want a whole number"},
		{map[string]string{"host": "h", "from": "a@b.example", "tls": "startls"}, `did you mean starttls?`},
		{map[string]string{"host": "h", "from": "a@b.example", "timeout": "5"}, "want a duration"},
		{map[string]string{"host": "h", "from": "a@b.example", "timeout": "-5s"}, "want a duration"},
		{map[string]string{"host": "h", "from": "a@b.example", "insecure": "perhaps"}, "want true or false"},
	} {
		if _, err := kind(t, "smtp").Parse(test.values); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.values, err, test.want)
		}
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "want a JSON object",
		`[]`:                               "want a JSON object",
		`{"url":"https://a.example"`:       "want a JSON object",
		`{"url":"https://a.example"} {}`:   "text after the JSON object",
		`{"url":1}`:                        `setting "url": wrong type`,
		`{"url":"a","url":"b"}`:            `setting "url" comes twice`,
		`{"secrets":["a b"]}`:              `setting "secrets": wrong type`,
		`{"secrets":"whsec_a"}`:            `setting "secrets": wrong type`,
		`{"secrets":[1]}`:                  `setting "secrets": wrong type`,
		`{"allow_http":"true"}`:            `setting "allow_http": wrong type`,
		`{"urll":{"a":1}}`:                 `setting "urll": wrong type`,
		`{"urll":"https://a.example"}`:     `unknown setting "urll"; did you mean url?`,
		`{"url":"https://a.example","x":}`: `setting "x": not JSON`,
	} {
		if _, err := kind(t, "webhook").ParseJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"url":"https://a.example","secrets":["whsec_c2VjcmV0"],"timeout":"5s","allow_http":false}`))
	f.Add([]byte(`{"url":null,"url":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k := kind(t, "webhook")
		s, err := k.ParseJSON(data)
		if (s == nil) != (err != nil) {
			t.Errorf("got %v and %v", s, err)
		}
	})
}

func TestParseMailURL(t *testing.T) {
	for _, test := range []struct {
		url  string
		want map[string]string
	}{
		{"smtp://mail.example.org", map[string]string{"host": "mail.example.org", "port": "587", "tls": "starttls"}},
		{"smtps://mail.example.org", map[string]string{"host": "mail.example.org", "port": "465", "tls": "implicit"}},
		{"smtp://otp%40example.org:p%40ss%2Fw%3Ard%25@mail.example.org:2525?tls=none&insecure=true",
			map[string]string{"host": "mail.example.org", "port": "2525", "tls": "none", "insecure": "true",
				"username": "otp@example.org", "password": "p@ss/w:rd%"}},
		{"smtp://[::1]:25/?tls=none&connections=3", map[string]string{"host": "::1", "port": "25", "tls": "none", "connections": "3"}},
	} {
		got, err := provider.ParseMailURL(test.url)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, %v, want %v", test.url, got, err, test.want)
		}
	}
}

func TestParseMailURLRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"http://h":                        "want smtp://",
		"mail.example.org:587":            "",
		"smtp://":                         "host is missing",
		"smtp:mail":                       "host is missing",
		"smtp://u:s3cret#1@h":             "",
		"smtp://u:s3cret@h/path":          "percent-encode",
		"smtp://u:s3cret%zz@h":            "percent-encode",
		"smtp://u:s3cret@h?tsl=none":      `unknown parameter "tsl"; did you mean tls?`,
		"smtp://u:s3cret@h?password=x":    `unknown parameter "password"`,
		"smtp://u:s3cret@h?tls=a&tls=b":   "comes twice",
		"smtp://u:s3cret@h?tls=%zz":       "name=value",
		"smtp://u:s3cret@h:port?tls=none": "percent-encode",
	} {
		_, err := provider.ParseMailURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want %q without the password", url, err, want)
		}
	}
}

func FuzzParseMailURL(f *testing.F) {
	f.Add("smtp://user:pass@host:587?tls=starttls")
	f.Add("smtps://%40@[::1]")
	f.Fuzz(func(t *testing.T, url string) {
		settings, err := provider.ParseMailURL(url)
		if (settings == nil) != (err != nil) {
			t.Fatalf("got %v and %v", settings, err)
		}
		if err != nil {
			return
		}
		settings["from"] = "codes@example.org"
		k := kind(t, "smtp")
		if parsed, err := k.Parse(settings); err == nil {
			if s, err := k.Open(parsed, provider.Environment{}); (s == nil) != (err != nil) {
				t.Errorf("got %v and %v", s, err)
			}
		}
	})
}

// parsed reads a kind's settings.
func parsed(t testing.TB, name string, values map[string]string) any {
	t.Helper()
	s, err := kind(t, name).Parse(values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
