package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// names asks for DNS records. What is not there is no error: an error says that nobody could be asked.
type names struct{ resolver *net.Resolver }

func (n names) texts(ctx context.Context, name string) ([]string, error) {
	list, err := n.resolver.LookupTXT(ctx, name+".")
	return list, asked(err)
}

func (n names) mx(ctx context.Context, name string) ([]*net.MX, error) {
	list, err := n.resolver.LookupMX(ctx, name+".")
	return list, asked(err)
}

func (n names) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	list, err := n.resolver.LookupNetIP(ctx, "ip", name+".")
	return list, asked(err)
}

// asked keeps of an error that there was no answer.
func asked(err error) error {
	var dns *net.DNSError
	if err == nil || errors.As(err, &dns) && dns.IsNotFound {
		return nil
	}
	return err
}

// tagged are the TXT records that begin with a version, such as "v=spf1".
func tagged(list []string, version string) (found []string) {
	for _, text := range list {
		rest, ok := strings.CutPrefix(strings.ToLower(text), strings.ToLower(version))
		if ok && (rest == "" || rest[0] == ' ' || rest[0] == ';') {
			found = append(found, text)
		}
	}
	return found
}

// tags reads a record in the form of DKIM and DMARC, name=value; name=value (RFC 6376 §3.2).
func tags(record string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(part, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			all[name] = strings.Join(strings.Fields(value), "")
		}
	}
	return all
}
