package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

var update = flag.Bool("update", false, "write what the transcripts got into them")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"otpost": func() { os.Exit(fakeProgram().Run(context.Background(), os.Args[1:])) }})
}

// TestScripts replays terminal sessions. Each is a file that reads as somebody typed it; the program in them is the
// true one, on rooms that are faked below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a process under the race detector would rest a second at its end
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer,
			"exits":  exits,

			"verifies": verifyWhatWasSent,
		},
	})
}

// fakeProgram is the program without the rooms behind it.
func fakeProgram() *Program {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &Program{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(),
		Serve: func(_ context.Context, settings *config.Config, log *slog.Logger) error {
			log.Info("serving", "listen", settings.Listen, "database", settings.Database, "sender", settings.MailFrom.Address)
			return nil
		},
		Demo: func(_ context.Context, options DemoOptions, _ *slog.Logger, ready func(Result) error) error {
			return ready(said{"demo on " + options.Listen})
		},
		Migrate: func(context.Context, *config.Config) (Migrated, error) { return Migrated{From: 1, To: 3}, nil },
		CreateKey: func(_ context.Context, _ *config.Config, r KeyRequest) (NewKey, error) {
			return NewKey{ID: "key_1", Application: r.Application, Admin: r.Admin, Key: "otk_s3cret"}, nil
		},
		ListKeys: func(context.Context, *config.Config) ([]KeyLine, error) {
			return []KeyLine{{ID: "key_1", Application: "shop", CreatedAt: made},
				{ID: "key_2", Application: "old shop", CreatedAt: made, RevokedAt: made.AddDate(0, 1, 0)},
				{ID: "key_3", Admin: true, CreatedAt: made}}, nil
		},
		RevokeKey: func(_ context.Context, _ *config.Config, id string) error {
			if id != "key_1" {
				return fmt.Errorf("revoke key %s: %w", id, ErrNoSuchKey)
			}
			return nil
		},
		WithSettings: withSettings, // nothing is faked: documents in a database of the script's folder
		TryPolicy:    tryPolicy,    // nor here: on a database of its own
		Examine:      fakeExamination,
		RingKeys: func(path string) ([]RingKey, error) {
			return []RingKey{{"0a1b2c3d", "older"}, {"4e5f6071", "primary"}, {"8293a4b5", "staged"}}, nil
		},
		StageKey:  func(string) error { return nil },
		RotateKey: func(path string) error { return fmt.Errorf("change key ring %s: %w", path, seal.ErrNotStaged) },
		EmulateEntra: func(_ context.Context, options emulate.Options, out io.Writer) (int, error) {
			fmt.Fprintln(out, "called "+options.Target+" for "+options.To)
			if options.Retries == 0 {
				return emulate.ExitFellBack, nil
			}
			return 0, nil
		},
	}
}

// fakeExamination finds a provider that is refused, or one that tries to take over the terminal.
func fakeExamination(_ context.Context, _ *config.Config, name string, told func(string, int)) (doctor.Report, error) {
	told("provider", 1)
	switch name {
	case "":
		return doctor.Report{Sections: []doctor.Section{{Name: "provider sms (twilio)", Findings: []provider.Finding{
			{Subject: "connection", Verdict: provider.Good, Found: "api.twilio.com answers."},
			{Subject: "credentials", Verdict: provider.Bad, Found: "The vendor refuses them (401).",
				Do: "Check account_sid and auth_token, which the Twilio console shows on its first page, and copy them anew."}}}}}, nil
	case "mail":
		return doctor.Report{Sections: []doctor.Section{{Name: "provider mail (smtp)", Findings: []provider.Finding{
			{Subject: "connection", Verdict: provider.Good, Found: "mail.example.org:587 answers."},
			{Subject: "login", Verdict: provider.Doubtful, Found: "It is slow.\x1b[2J"}}}}}, nil
	}
	return doctor.Report{}, (&examination{doctor: doctor.Doctor{Providers: []doctor.Provider{{Name: "mail"}}}, db: &store.DB{}}).unknown(name)
}

// said is a result of one sentence.
type said struct {
	Sentence string `json:"sentence"`
}

func (s said) WriteText(w io.Writer) { fmt.Fprintln(w, s.Sentence) }

// exits runs otpost and wants an exit code: exits 3 otpost verify --id pc_1 000000.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		code = fmt.Sprint(exit.ExitCode())
	}
	if code != args[0] {
		ts.Fatalf("exit code is %s, want %s", code, args[0])
	}
}

// sentCode is the code in a request that policy run would have sent.
var sentCode = regexp.MustCompile(`"code":"(\d{8})"`)

// verifyWhatWasSent has the code of a journey sent once more, and verifies it: verifies POLICIES JOURNEY.
func verifyWhatWasSent(ts *testscript.TestScript, _ bool, args []string) {
	run := []string{"policy", "run", args[0], "emailControl", "SendCode", "--claim", "email=lea@example.org", "--session", args[1]}
	ts.Check(ts.Exec("otpost", run...))
	code := sentCode.FindStringSubmatch(ts.ReadFile("stdout"))
	if code == nil {
		ts.Fatalf("no code was sent")
	}
	run[4] = "VerifyCode"
	ts.Check(ts.Exec("otpost", append(run, "--claim", "code="+code[1])...))
}

// startServer starts a server with the answers of the REST API and puts its URL into OTPOST_URL. It knows one key and
// one passcode, whose code is 492817 and works once.
func startServer(ts *testscript.TestScript, _ bool, _ []string) {
	api := &fakeAPI{tries: 5}
	server := httptest.NewServer(api.handler())
	ts.Defer(server.Close)
	ts.Setenv("OTPOST_URL", server.URL)
}

type fakeAPI struct {
	tries int
	used  bool
}

func (a *fakeAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.HandleFunc("GET /tired/readyz", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "database is away", 503) })
	mux.HandleFunc("POST /v1/passcodes", keyed(a.send))
	mux.HandleFunc("POST /mail", serveMail)
	mux.HandleFunc("GET /v1/passcodes/{id}", keyed(a.status))
	mux.HandleFunc("POST /v1/passcodes/{id}/verify", keyed(a.verify))
	mux.HandleFunc("POST /v1/passcodes/verify", keyed(a.verify))
	mux.HandleFunc("POST /v1/providers/{name}/test", keyed(a.try))
	return mux
}

// try is asked for with the one key that this server knows, as an admin key.
func (a *fakeAPI) try(w http.ResponseWriter, body map[string]any) {
	switch body["to"] {
	case "alice@example.com":
		answer(w, 200, "", `{"verdict":"accepted","provider":"mail","delivery":"dl_1","attempts":[{"took_ms":212,"ref":"4F3B1C0A"}],"advice":"The provider took the message."}`)
	case "bob@example.com":
		answer(w, 200, "", `{"verdict":"not_sent","provider":"mail","delivery":"dl_2","attempts":[{"class":"config","code":"535 5.7.8","detail":"AUTH: no\u001b[2J","took_ms":80}],`+
			`"advice":"The provider refuses the account or its settings.","findings":[{"subject":"login","verdict":"bad","found":"The server refuses it.","do":"Check the password."}]}`)
	case "eve@example.com":
		answer(w, 200, "", fmt.Sprintf(`{"verdict":"unknown","provider":"mail","delivery":"dl_3","attempts":[],"advice":"It took longer than %v ms with %v for %v in %v."}`, body["wait_ms"], body["purpose"], body["application"], body["locale"]))
	default:
		answer(w, 429, "60", `{"status":429,"code":"limit_reached","detail":"The limit for this identifier is spent."}`)
	}
}

// serveMail is a service that a policy hands its codes to.
func serveMail(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	switch {
	case r.Header.Get("Authorization") != "Bearer s3cret" || json.NewDecoder(r.Body).Decode(&body) != nil || body["code"] == "":
		answer(w, 400, "", `{}`)
	case body["to"] == "full@example.org":
		answer(w, 409, "", `{"version":"1.0.0","status":409,"userMessage":"The mailbox is full."}`)
	default:
		answer(w, 200, "", `{}`)
	}
}

// keyed refuses callers without the key, and requests that are not what they should be.
func keyed(next func(http.ResponseWriter, map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		switch {
		case r.Header.Get("Authorization") != "Bearer otk_s3cret":
			answer(w, 401, "", `{"status":401,"code":"unauthorized","title":"No valid API key"}`)
		case r.Method == "GET" && r.Header.Get("Content-Type") != "":
			answer(w, 400, "", `{"status":400,"code":"body_without_meaning"}`)
		case r.Method != "GET" && (r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&body) != nil):
			answer(w, 400, "", `{"status":400,"code":"invalid_json"}`)
		case r.PathValue("id") != "" && r.PathValue("id") != "pc_1":
			answer(w, 404, "", `{"status":404,"code":"not_found","detail":"there is no passcode of this id"}`)
		default:
			next(w, body)
		}
	}
}

func answer(w http.ResponseWriter, status int, retryAfter, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	fmt.Fprintln(w, body)
}

func (a *fakeAPI) send(w http.ResponseWriter, body map[string]any) {
	state := `"state":"queued"`
	switch {
	case body["to"] == "flood@example.com":
		answer(w, 429, "60", `{"status":429,"code":"limit_reached","detail":"too many messages to this address"}`)
		return
	case body["to"] == "down@example.com":
		http.Error(w, "<h1>Bad gateway</h1>", 502)
		return
	case body["to"] == "dead@example.com":
		state = `"state":"failed"`
	case body["wait_ms"] == 5000.0:
		state = `"state":"accepted","provider":"environment"`
	}
	answer(w, 201, "", fmt.Sprintf(`{"id":"pc_1","status":"pending","channel":"email","to":%q,"expires_at":"2026-01-02T03:14:05Z","attempts_left":5,"resend_at":"2026-01-02T03:04:35Z","delivery":{%s,"attempts":1},"metadata":%s}`,
		body["to"], state, asJSON(body["metadata"])))
}

func (a *fakeAPI) status(w http.ResponseWriter, _ map[string]any) {
	answer(w, 200, "", `{"id":"pc_1","status":"verified","to":"alice@example.com","timeline":[`+
		`{"at":"2026-01-02T03:04:05.000Z","event":"asked","application":"app_1","purpose":"sign_in","channel":"email","locale":"fr"},`+
		`{"at":"2026-01-02T03:04:05.000Z","event":"created","delivery":"dl_1"},`+
		`{"at":"2026-01-02T03:04:05.001Z","event":"handed","delivery":"dl_1","provider":"first","attempt":1,"took_ms":1500,"class":"throttled","provider_code":"451 4.7.1","detail":"later\u001b[2J"},`+
		`{"at":"2026-01-02T03:04:06.501Z","event":"handed","delivery":"dl_1","provider":"second","attempt":2,"took_ms":20,"provider_code":"250"},`+
		`{"at":"2026-01-02T03:04:06.521Z","event":"accepted","delivery":"dl_1","provider":"second","attempt":2,"provider_ref":"<1@mail.example>"},`+
		`{"at":"2026-01-02T03:04:10.000Z","event":"limited","reason":"limit_reached","limit":"identifier"},`+
		`{"at":"2026-01-02T03:04:20.000Z","event":"tried","reason":"wrong_code"},`+
		`{"at":"2026-01-02T03:04:30.000Z","event":"delivered","delivery":"dl_1","provider":"second"},`+
		`{"at":"2026-01-02T03:04:40.000Z","event":"verified"}]}`)
}

func (a *fakeAPI) verify(w http.ResponseWriter, body map[string]any) {
	switch {
	case a.used:
		answer(w, 200, "", `{"verified":false,"status":"verified","reason":"used","attempts_left":0}`)
	case body["code"] == "492817":
		a.used = true
		answer(w, 200, "", `{"verified":true,"status":"verified","attempts_left":4}`)
	default:
		a.tries--
		answer(w, 200, "", fmt.Sprintf(`{"verified":false,"status":"pending","reason":"wrong_code","attempts_left":%d}`, a.tries))
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
