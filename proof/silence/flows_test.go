package silence_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/otpost/otpost/proof/rig"
)

// everything runs every flow that handles a code.
func (l *leak) everything(run string) {
	l.t.Helper()
	n := rig.Size(2, 12)
	rig.Together(n, n, func(i int) {
		name := fmt.Sprintf("%s%d", run, i)
		l.tried(name)
		l.sentAgain(name)
		l.ends(name)
		l.refused(name)
		l.relayed(name)
		l.mislaid(name)
	})
	l.texted(run)
	l.tooLate(run)
	if l.t.Failed() {
		l.t.FailNow()
	}
}

// issue asks for a passcode and returns its id and the code that arrived.
func (l *leak) issue(to, more string) (id, code string) {
	made := l.c.Issue(to, more)
	return made.ID, l.sink.To(l.t, to, 1)[0].Code
}

// wrong is a wrong code, which a slip of the finger may have made of a right one.
func (l *leak) wrong() string { return l.code(rand.Text()[:12]) }

func (l *leak) tried(name string) {
	to := "verified." + name + "@example.test"
	id, code := l.issue(to, `,"locale":"de","metadata":{"order":"7"}`)
	l.c.Verify(id, l.wrong())
	path := "/v1/passcodes/" + id + "/verify"
	for _, body := range []string{fmt.Sprintf(`{"code":%q,"extra":%q}`, code, code), fmt.Sprintf(`{"code":%q`, code),
		fmt.Sprintf(`{"code":[%q]}`, code), fmt.Sprintf(`{"code":%q}%s`, code, code), code, fmt.Sprintf(`{"code":%q,"code":%q}`, code, code)} {
		l.send("POST", path, body)
	}
	l.send("POST", "/v1/passcodes/verify", fmt.Sprintf(`{"to":%q,"code":%q,"purpose":%q}`, to, code, code))
	if v := l.c.Verify(id, strings.ToLower(code[:6])+"-"+code[6:]); !v.Verified {
		l.t.Errorf("the right code: %+v", v)
	}
	l.c.Verify(id, code)
	l.send("POST", "/v1/passcodes/verify", fmt.Sprintf(`{"to":%q,"code":%q}`, to, code))
	l.send("GET", "/v1/passcodes/"+id, "")
}

func (l *leak) sentAgain(name string) {
	to := "resent." + name + "@example.test"
	id, _ := l.issue(to, `,"locale":"fr"`)
	rig.Call[rig.Passcode](l.c, "POST", "/v1/passcodes/"+id+"/resend", `{"wait_ms":10000}`, 200)
	l.c.Verify(id, l.wrong())
	rig.Call[rig.Passcode](l.c, "POST", "/v1/passcodes/"+id+"/resend", "", 200)
	l.sink.To(l.t, to, 3)
	l.send("GET", "/v1/passcodes/"+id, "")
}

func (l *leak) ends(name string) {
	id, _ := l.issue("cancelled."+name+"@example.test", "")
	l.send("DELETE", "/v1/passcodes/"+id, "")
	id, _ = l.issue("locked."+name+"@example.test", "")
	l.c.TryAll(id, 8, func(int) string { return l.wrong() })
	to := "replaced." + name + "@example.test"
	_, code := l.issue(to, "")
	id = l.c.Issue(to, "").ID
	l.c.Verify(id, code)
	l.sink.To(l.t, to, 2)
}

// refused are messages that the mail server does not take, or takes with many words.
func (l *leak) refused(name string) {
	for _, behaviour := range []string{"unknown", "full", "login", "spam", "quota", "account", "later", "named", "queued", "thanks"} {
		wait := `,"wait_ms":10000`
		if behaviour == "full" || behaviour == "login" || behaviour == "quota" || behaviour == "account" {
			wait = "" // they are tried again for a long time
		}
		made := l.c.Issue(behaviour+"."+name+"@example.test", wait)
		l.send("GET", "/v1/passcodes/"+made.ID, "")
	}
}

// relayed are Entra's events: taken, refused, repeated, unreadable, and of others.
func (l *leak) relayed(name string) {
	post := func(to, code, token string, change ...string) {
		event := rig.Event(to+"."+name+"@example.test", code, "en-us")
		got, err := l.p.Post(strings.NewReplacer(change...).Replace(event), token)
		if err != nil {
			l.t.Errorf("Entra's event: %v", err)
		}
		l.answer("answers to Entra", got)
	}
	token := l.token()
	for _, to := range []string{"relayed", "unknown", "full", "spam", "quota", "account", "later", "named", "queued", "thanks"} {
		post(to, l.drawn(), token)
	}
	code := l.drawn()
	event := rig.Event("twice."+name+"@example.test", code, "en-us")
	for range 2 {
		got, err := l.p.Post(event, token)
		if err != nil || got.Status != 200 && !rig.Slow(l.t, l.db, "twice."+name+"@example.test") {
			l.t.Errorf("Entra's event: %v %v", got, err)
		}
	}
	post("bad", l.drawn(), "")
	post("bad", l.drawn(), l.who.Expired())
	post("bad", l.drawn(), token, `"identifier"`, `"identity"`)
	post("bad", l.drawn(), token, `"oneTimeCode": "`, `"oneTimeCode": "not a code `)
	post("bad", l.drawn(), token, rig.EntraTenant, "11111111-1111-4111-8111-111111111111")
	post("bad", l.drawn(), token, `"data": {`, `"data": `)
	code = l.drawn()
	post("bad", code, token, `"correlationId"`, `"`+code+`"`)
}

// texted are messages by webhook, with every kind of answer.
func (l *leak) texted(run string) {
	for i, status := range statuses {
		for n := range rig.Size(1, 5) {
			to := fmt.Sprintf("+4930%s%d%02d%03d", map[string]string{"json": "1", "text": "2"}[run], n, i, status)
			wait := ""
			if status/100 == 2 || status == 400 {
				wait = `,"wait_ms":10000`
			}
			made := l.c.Issue(to, wait)
			l.send("GET", "/v1/passcodes/"+made.ID, "")
		}
	}
}

// tooLate is an event whose provider does not answer in time: Entra is told that it is on its way.
func (l *leak) tooLate(run string) {
	l.sink.Hold()
	defer l.sink.Answer(-1)
	to := "late." + run + "@example.test"
	got, err := l.p.Post(rig.Event(to, l.drawn(), "en-us"), l.token())
	if err != nil || got.Status != 200 && !rig.Slow(l.t, l.db, to) {
		l.t.Errorf("a late event: %v %v", got, err)
	}
	l.answer("answers to Entra", got)
}

// mislaid are codes that a careless application puts where none belongs.
func (l *leak) mislaid(name string) {
	id, code := l.issue("mislaid."+name+"@example.test", "")
	l.send("GET", "/v1/passcodes/"+id+"?code="+code, "")
	l.send("GET", "/v1/passcodes/"+code, "")
	l.send("POST", "/v1/passcodes/"+id+"/verify/"+code, "")
	l.send("GET", "/verify?code="+code, "")
	for _, path := range []string{"/", "/docs", "/openapi.json", "/readyz", "/inbox?to=" + code, "/nothing/" + code} {
		for _, accept := range []string{"text/html", "application/json"} {
			r, err := http.NewRequest("GET", "http://"+l.p.Public+path, nil)
			if err != nil {
				l.t.Error(err)
				return
			}
			r.Header = http.Header{"Accept": {accept}, "User-Agent": {code}, "Referer": {"https://shop.example/?code=" + code},
				"Cookie": {"code=" + code}, "Authorization": {"Bearer " + code}}
			if _, err := l.c.Do(r); err != nil {
				l.t.Error(err)
			}
		}
	}
}

// send makes a request whatever is answered: the recorder keeps it.
func (l *leak) send(method, path, body string) {
	if _, err := l.c.Send(method, path, body); err != nil {
		l.t.Errorf("%s %s: %v", method, path, err)
	}
}

// commands are what the program prints.
func (l *leak) commands() {
	l.t.Helper()
	set := rig.Settings{"url": "http://" + l.p.Public}
	with := func(args ...string) string {
		run := l.set.With(set)
		run["key"] = l.key
		out, complaint, _ := rig.Run(l.t, run, args...)
		l.keep("output of otpost "+args[0], []byte("$ "+args[0]+"\n"+out+complaint))
		return out
	}
	for _, output := range []string{"text", "json"} {
		to := "typed." + output + "@example.test"
		id := idIn(with("send", "--to", to, "--wait", "10s", "--output", output))
		code := l.sink.To(l.t, to, 1)[0].Code
		with("verify", "--id", id, "--output", output, l.wrong())
		with("verify", "--to", to, "--output", output, l.wrong())
		with("verify", "--id", id, "--output", output, code)
		with("verify", "--id", id, "--output", output, code)
		with("verify", "--output", output, code)
		with("key", "list", "--output", output)
		with("config", "show", "--output", output)
	}
	with("healthcheck")
	with("version")
}

// idIn is the passcode's id in a text.
func idIn(text string) string {
	i := max(0, bytes.Index([]byte(text), []byte("pc_")))
	return text[i:min(len(text), i+29)]
}
