package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Reacher is a Sender that can try the way to its provider without showing its credentials.
type Reacher interface {
	// Reach connects and says what stands in the way, and whether this machine's clock is right.
	Reach(ctx context.Context) []Finding
}

// Reach asks for the headers of the address of the API. Whatever it answers, it can be reached.
func (v *vendor) Reach(ctx context.Context) []Finding {
	host, port := placeOf(v.base)
	r, fault := v.do(ctx, call{Method: http.MethodHead, Path: "/"})
	if r.Status == 0 && fault != nil {
		return []Finding{unreachable(host, port, fault.Detail)}
	}
	return append([]Finding{{Subject: "connection", Verdict: Good, Found: host + " answers."}}, skew(r.Header.Get("Date"), v.now())...)
}

// Reach connects without asking for anything, since every request to somebody's own server means something there.
func (s *webhookSender) Reach(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	host, port := placeOf(s.url)
	if err := s.shakeHands(ctx, net.JoinHostPort(host, port)); err != nil {
		return []Finding{unreachable(host, port, networkDetail(err))}
	}
	return []Finding{{Subject: "connection", Verdict: Good, Found: host + " can be connected to."}}
}

func (s *webhookSender) shakeHands(ctx context.Context, address string) error {
	transport, ok := s.client.Transport.(*http.Transport)
	if !ok {
		return errors.New("the client has no transport of its own")
	}
	conn, err := transport.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !strings.HasPrefix(s.url, "https:") {
		return nil
	}
	config := transport.TLSClientConfig.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address)
	return tls.Client(conn, config).HandshakeContext(ctx)
}

// placeOf is where a URL leads, which was checked when the provider was opened.
func placeOf(raw string) (host, port string) {
	u, err := url.Parse(raw)
	if err != nil {
		return raw, ""
	}
	port = u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return u.Hostname(), port
}

// unreachable is the finding of a way that is blocked. detail is networkDetail's.
func unreachable(host, port, detail string) Finding {
	f := Finding{Subject: "connection", Verdict: Bad, Found: fmt.Sprintf("%s cannot be reached on port %s: %s.", host, port, strings.TrimSuffix(detail, "."))}
	switch {
	case strings.Contains(detail, "not known"):
		f.Do = "Check the name of the host, and that this machine asks a name server that knows the internet."
	case strings.Contains(detail, "looked up"):
		f.Do = "Check the name servers of this machine (/etc/resolv.conf); those that it has do not answer."
	case strings.Contains(detail, "private or reserved"):
		f.Do = "Set allow_private if the host is meant to be inside the network."
	case strings.Contains(detail, "another host"):
		f.Do = "Write the host as its certificate names it. A proxy that breaks TLS open also looks like this."
	case strings.Contains(detail, "certificate"):
		f.Do = "Install the system's authorities (the package ca-certificates), or name a private one in root_ca. A proxy that breaks TLS open also looks like this."
	case strings.Contains(detail, "TLS"):
		f.Do = "Check port and scheme: something else than TLS answers there."
	case strings.Contains(detail, "refused"):
		f.Do = "Check host and port; nothing listens there, or a firewall refuses."
	case strings.Contains(detail, "in time"):
		f.Do = "Let this machine connect outward to port " + port + ": a firewall, a security group or a missing route drops what it sends."
	default:
		f.Do = "Check what lies between this machine and the host: a firewall or a proxy ends the connection."
	}
	return f
}

// The bounds of a clock. Amazon, Azure and Microsoft Entra refuse what is signed more than 5 minutes off, and reports in
// the form of Standard Webhooks are refused by us; a minute shows that nobody sets the clock.
const (
	skewSeen = time.Minute
	skewBad  = 5 * time.Minute
)

// skew compares a clock with the Date of an answer. There is no finding while they agree.
func skew(date string, now time.Time) []Finding {
	at, err := http.ParseTime(date)
	if err != nil {
		return nil
	}
	off := now.Sub(at)
	if off.Abs() < skewSeen {
		return nil
	}
	way := "behind"
	if off > 0 {
		way = "ahead of"
	}
	f := Finding{Subject: "clock", Verdict: Doubtful, Found: fmt.Sprintf("This machine's clock is %s %s the provider's.", off.Abs().Round(time.Second), way),
		Do: "Set the clock by NTP; signatures and tokens of another time are refused."}
	if off.Abs() >= skewBad {
		f.Verdict = Bad
	}
	return []Finding{f}
}
