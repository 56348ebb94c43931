package doctor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/nameserver"
)

// aKey is a DKIM record of a key of the usual size, longer than one string of a TXT record.
var aKey = "TXT v=DKIM1; k=rsa; p=" + strings.Repeat("MIIBIjAN", 49)

// healthy is a domain that does everything right for Microsoft 365.
func healthy() nameserver.Zone {
	return nameserver.Zone{
		"example.org":                      {"MX 10 mail.example.org.", "TXT v=spf1 include:spf.protection.outlook.com ~all", "TXT another=record"},
		"spf.protection.outlook.com":       {"TXT v=spf1 ip4:192.0.2.0/24 -all"},
		"selector1._domainkey.example.org": {aKey},
		"_dmarc.example.org":               {"TXT v=DMARC1; p=reject"},
		"mail.example.org":                 {"A 192.0.2.1"},
	}
}

// examineDomain is what is found about the domain of one provider, by subject.
func examineDomain(t *testing.T, z nameserver.Zone, kind string, settings map[string]string) map[string]provider.Finding {
	t.Helper()
	k, err := provider.Find(kind)
	if err != nil {
		t.Fatal(err)
	}
	d := doctor.Doctor{Resolver: z.Start(t), Providers: []doctor.Provider{{Name: "mail", Kind: k, Settings: settings}}}
	report, ok := d.ExamineProvider(t.Context(), "mail", nil)
	if !ok {
		t.Fatal("the provider is not known")
	}
	found := map[string]provider.Finding{}
	for _, s := range report.Sections {
		if strings.HasPrefix(s.Name, "sender domain ") {
			for _, f := range s.Findings {
				found[f.Subject] = f
			}
		}
	}
	return found
}

// verdicts says in one line what was found about a domain.
func verdicts(found map[string]provider.Finding) string {
	var words []string
	for _, subject := range []string{"domain", "MX", "SPF", "DKIM", "DMARC"} {
		if f, ok := found[subject]; ok {
			words = append(words, subject+" "+string(f.Verdict))
		}
	}
	return strings.Join(words, ", ")
}

func includes(n int) (record string, z nameserver.Zone) {
	z = nameserver.Zone{}
	for i := range n {
		name := fmt.Sprintf("n%d.example.net", i)
		record += " include:" + name
		z[name] = []string{"TXT v=spf1 ip4:198.51.100.1 -all"}
	}
	return record, z
}

func TestMistakesOfADomain(t *testing.T) {
	const office = "include:spf.protection.outlook.com"
	nine, nineZone := includes(9)
	ten, tenZone := includes(10)
	tests := []struct {
		name    string
		change  nameserver.Zone // records that replace the healthy ones; no records takes the name away
		subject string
		verdict provider.FindingVerdict
		found   string
		do      string
	}{
		{"nothing", nil, "SPF", provider.Good, "example.org permits Microsoft 365, in 1 of 10", ""},
		{"nothing", nil, "MX", provider.Good, "can be delivered", ""},
		{"nothing", nil, "DKIM", provider.Good, "selector1._domainkey.example.org", ""},
		{"nothing", nil, "DMARC", provider.Good, "passes by DKIM", ""},

		{"null MX", nameserver.Zone{"example.org": {"MX 0 .", "TXT v=spf1 " + office}}, "MX", provider.Bad, "null MX", "0 ."},
		{"no MX but an address", nameserver.Zone{"example.org": {"A 192.0.2.1"}}, "MX", provider.Doubtful, "no MX record", "Publish an MX"},
		{"neither MX nor address", nameserver.Zone{"example.org": {"TXT v=spf1 " + office}}, "MX", provider.Doubtful, "takes no mail", "Publish an MX"},
		{"no such domain", nameserver.Zone{"example.org": nil}, "MX", provider.Bad, "neither a mail server nor an address", "how the domain is written"},
		{"name server fails", nameserver.Zone{"example.org": {"FAIL"}}, "MX", provider.Doubtful, "could not be asked", "name servers"},
		{"name server fails", nameserver.Zone{"example.org": {"FAIL"}}, "SPF", provider.Doubtful, "could not be asked", "name servers"},
		{"name server fails", nameserver.Zone{"selector1._domainkey.example.org": {"FAIL"}}, "DKIM", provider.Doubtful, "could not be asked", "name servers"},
		{"name server fails", nameserver.Zone{"_dmarc.example.org": {"FAIL"}}, "DMARC", provider.Doubtful, "could not be asked", "name servers"},
		{"name server of an include fails", nameserver.Zone{"spf.protection.outlook.com": {"FAIL"}}, "SPF", provider.Doubtful, "could not be asked", "name servers"},

		{"no SPF", nameserver.Zone{"example.org": {"MX 10 mail.example.org."}}, "SPF", provider.Doubtful, "no SPF record", `"v=spf1 ` + office + ` ~all"`},
		{"two SPF records", nameserver.Zone{"example.org": {"TXT v=spf1 " + office, "TXT v=spf1 mx"}}, "SPF", provider.Bad, "2 SPF records", "one record"},
		{"SPF in capitals", nameserver.Zone{"example.org": {"TXT V=SPF1 " + strings.ToUpper(office)}}, "SPF", provider.Good, "permits", ""},
		{"a record that only looks like SPF", nameserver.Zone{"example.org": {"TXT v=spf10 all"}}, "SPF", provider.Doubtful, "no SPF record", "Publish"},
		{"SPF without the vendor", nameserver.Zone{"example.org": {"TXT v=spf1 ip4:192.0.2.1 -all"}}, "SPF", provider.Doubtful, "does not include Microsoft 365", "Add " + office},
		{"SPF for everybody", nameserver.Zone{"example.org": {"TXT v=spf1 +all"}}, "SPF", provider.Doubtful, "whole internet", "~all"},
		{"SPF for everybody, without the sign", nameserver.Zone{"example.org": {"TXT v=spf1 all"}}, "SPF", provider.Doubtful, "whole internet", "~all"},
		{"SPF include of nothing", nameserver.Zone{"example.org": {"TXT v=spf1 include:gone.example.net " + office}}, "SPF", provider.Bad, "gone.example.net", "Correct"},
		{"SPF include without a domain", nameserver.Zone{"example.org": {"TXT v=spf1 include: " + office}}, "SPF", provider.Bad, "without a domain", "Correct"},
		{"SPF include of two", nameserver.Zone{"example.org": {"TXT v=spf1 include:two.example.net"}, "two.example.net": {"TXT v=spf1", "TXT v=spf1"}}, "SPF", provider.Bad, "more than one", "Correct"},
		{"SPF with a spelling mistake", nameserver.Zone{"example.org": {"TXT v=spf1 inclde:a.example " + office}}, "SPF", provider.Bad, "inclde", "Correct"},
		{"SPF with a bad network", nameserver.Zone{"example.org": {"TXT v=spf1 ip4:192.0.2.300 " + office}}, "SPF", provider.Bad, "192.0.2.300", "Correct"},
		{"SPF with an IPv6 network in ip4", nameserver.Zone{"example.org": {"TXT v=spf1 ip4:2001:db8::/32 " + office}}, "SPF", provider.Bad, "unreadable", "Correct"},
		{"SPF of ten lookups", join(nineZone, nameserver.Zone{"example.org": {"TXT v=spf1" + nine + " " + office}}), "SPF", provider.Good, "10 of 10", ""},
		{"SPF of eleven lookups", join(tenZone, nameserver.Zone{"example.org": {"TXT v=spf1" + ten + " " + office}}), "SPF", provider.Bad, "more than 10", "lookups"},
		{"SPF that includes itself", nameserver.Zone{"example.org": {"TXT v=spf1 include:example.org"}}, "SPF", provider.Bad, "more than 10", "lookups"},
		{"SPF of three empty lookups", nameserver.Zone{"example.org": {"TXT v=spf1 a:x.example.net mx:x.example.net a:y.example.net " + office}}, "SPF", provider.Bad, "find nothing", "Correct"},
		{"SPF by a redirect", nameserver.Zone{"example.org": {"TXT v=spf1 redirect=spf.protection.outlook.com"}}, "SPF", provider.Good, "permits", ""},
		{"SPF whose redirect all hides", nameserver.Zone{"example.org": {"TXT v=spf1 redirect=spf.protection.outlook.com ~all"}}, "SPF", provider.Doubtful, "does not include", "Add"},
		{"SPF with macros", nameserver.Zone{"example.org": {"TXT v=spf1 include:%{d}._spf.example.net -all"}}, "SPF", provider.Doubtful, "only a receiver", "spf=pass"},
		{"SPF deeper down", nameserver.Zone{"example.org": {"TXT v=spf1 include:all.example.net"}, "all.example.net": {"TXT v=spf1 " + office}}, "SPF", provider.Good, "2 of 10", ""},

		{"no DKIM key", nameserver.Zone{"selector1._domainkey.example.org": nil}, "DKIM", provider.Doubtful, "selector1, selector2", "Publish the records"},
		{"the second selector", nameserver.Zone{"selector1._domainkey.example.org": nil, "selector2._domainkey.example.org": {aKey}}, "DKIM", provider.Good, "selector2", ""},
		{"a revoked key", nameserver.Zone{"selector1._domainkey.example.org": {"TXT v=DKIM1; p="}}, "DKIM", provider.Bad, "revoked", "Publish"},
		{"a revoked key beside a good one", nameserver.Zone{"selector1._domainkey.example.org": {"TXT v=DKIM1; p="}, "selector2._domainkey.example.org": {aKey}}, "DKIM", provider.Good, "selector2", ""},
		{"a key cut short", nameserver.Zone{"selector1._domainkey.example.org": {strings.TrimSuffix(aKey, "N")}}, "DKIM", provider.Bad, "no key", "Publish"},
		{"a key with quotes in it", nameserver.Zone{"selector1._domainkey.example.org": {`TXT "v=DKIM1; k=rsa; p=MIIB"`}}, "DKIM", provider.Bad, "no key", "Publish"},
		{"a key without a version", nameserver.Zone{"selector1._domainkey.example.org": {"TXT k=rsa; p=" + strings.Repeat("MIIB", 20)}}, "DKIM", provider.Good, "selector1", ""},
		{"a wildcard instead of a key", nameserver.Zone{"selector1._domainkey.example.org": {"TXT v=spf1 -all"}}, "DKIM", provider.Bad, "no key", "Publish"},

		{"no DMARC", nameserver.Zone{"_dmarc.example.org": nil}, "DMARC", provider.Doubtful, "no DMARC record", "v=DMARC1; p=none"},
		{"two DMARC records", nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"}}, "DMARC", provider.Bad, "more than one", "Delete"},
		{"DMARC without a policy", nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; rua=mailto:a@example.org"}}, "DMARC", provider.Bad, "no policy", "Correct p"},
		{"DMARC with a strange policy", nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; p=monitor"}}, "DMARC", provider.Bad, "no policy", "Correct p"},
		{"DMARC that SPF alone passes", nameserver.Zone{"selector1._domainkey.example.org": nil}, "DMARC", provider.Good, "passes by SPF", ""},
		{"DMARC that nothing passes", nameserver.Zone{"example.org": {"MX 10 mail.example.org."}, "selector1._domainkey.example.org": nil}, "DMARC", provider.Bad, "refuse mail", "DKIM key"},
		{"DMARC quarantine that nothing passes", nameserver.Zone{"example.org": {"TXT v=spf1 -all"}, "selector1._domainkey.example.org": nil, "_dmarc.example.org": {"TXT v=DMARC1; p=quarantine"}},
			"DMARC", provider.Bad, "spam", "DKIM key"},
		{"DMARC none that nothing passes", nameserver.Zone{"example.org": {"TXT v=spf1 -all"}, "selector1._domainkey.example.org": nil, "_dmarc.example.org": {"TXT v=DMARC1;p=none"}},
			"DMARC", provider.Doubtful, "watch only", "stricter"},
	}
	for _, test := range tests {
		t.Run(test.name+", "+test.subject, func(t *testing.T) {
			found := examineDomain(t, join(healthy(), test.change), "microsoft365", map[string]string{"from": "Shop <Codes@Example.ORG>"})
			f := found[test.subject]
			if f.Verdict != test.verdict || !strings.Contains(f.Found, test.found) || !strings.Contains(f.Do, test.do) || (test.do == "") != (f.Do == "") {
				t.Errorf("found %+v\nwant %s: …%s… do …%s…", f, test.verdict, test.found, test.do)
			}
		})
	}
}

// join puts changes over a zone. A name without records is one that there is not.
func join(z, change nameserver.Zone) nameserver.Zone {
	for name, records := range change {
		if z[name] = records; records == nil {
			delete(z, name)
		}
	}
	return z
}

// TestCompanies holds what each company signs and permits, at a domain that has everything for it, and at one that has
// nothing but a strict policy.
func TestCompanies(t *testing.T) {
	strict := nameserver.Zone{"example.org": {"MX 10 mail.example.org."}, "_dmarc.example.org": {"TXT v=DMARC1; p=reject"}}
	from := map[string]string{"from": "codes@example.org"}
	for _, test := range []struct {
		kind     string
		settings map[string]string
		records  nameserver.Zone
		all      string
		none     string
	}{
		{"sendgrid", nil, nameserver.Zone{"s1._domainkey.example.org": {aKey}}, "SPF good, DKIM good, DMARC good", "SPF good, DKIM doubtful, DMARC good"},
		{"mailjet", nil, nameserver.Zone{"mailjet._domainkey.example.org": {aKey}}, "SPF good, DKIM good, DMARC good", "SPF good, DKIM doubtful, DMARC bad"},
		{"mandrill", nil, nameserver.Zone{"mte1._domainkey.example.org": {aKey}}, "SPF good, DKIM good, DMARC good", "SPF good, DKIM doubtful, DMARC bad"},
		{"brevo", nil, nameserver.Zone{"mail._domainkey.example.org": {aKey}}, "SPF good, DKIM good, DMARC good", "SPF good, DKIM doubtful, DMARC bad"},
		{"resend", nil, nameserver.Zone{"resend._domainkey.example.org": {aKey}, "send.example.org": {"TXT v=spf1 include:amazonses.com ~all"}, "amazonses.com": {"TXT v=spf1 -all"}},
			"SPF good, DKIM good, DMARC good", "SPF doubtful, DKIM doubtful, DMARC bad"},
		{"azure_communication_email", nil, nameserver.Zone{"selector2-azurecomm-prod-net._domainkey.example.org": {aKey}, "spf.protection.outlook.com": {"TXT v=spf1 -all"},
			"example.org": {"MX 1 a.", "TXT v=spf1 include:spf.protection.outlook.com -all"}}, "SPF good, DKIM good, DMARC good", "SPF doubtful, DKIM doubtful, DMARC bad"},
		{"mailgun", map[string]string{"domain": "mg.example.org"}, nameserver.Zone{"mg.example.org": {"TXT v=spf1 include:mailgun.org ~all"}, "mailgun.org": {"TXT v=spf1 -all"}},
			"SPF good, DKIM doubtful, DMARC good", "SPF doubtful, DKIM doubtful, DMARC good"},
		{"ses", nil, nil, "SPF good, DKIM doubtful, DMARC good", "SPF good, DKIM doubtful, DMARC good"},
		{"postmark", nil, nil, "SPF good, DKIM doubtful, DMARC good", "SPF good, DKIM doubtful, DMARC good"},
		{"sparkpost", nil, nil, "SPF good, DKIM doubtful, DMARC good", "SPF good, DKIM doubtful, DMARC good"},
		{"smtp", map[string]string{"host": "smtp-relay.gmail.com"}, nameserver.Zone{"google._domainkey.example.org": {aKey}, "_spf.google.com": {"TXT v=spf1 -all"},
			"example.org": {"MX 1 a.", "TXT v=spf1 include:_spf.google.com ~all"}}, "SPF good, DKIM good, DMARC good", "SPF doubtful, DKIM doubtful, DMARC good"},
		{"smtp", map[string]string{"host": "email-smtp.eu-west-1.amazonaws.com"}, nil, "SPF good, DKIM doubtful, DMARC good", "SPF good, DKIM doubtful, DMARC good"},
		{"smtp", map[string]string{"host": "mail.example.org"}, nameserver.Zone{"mail.example.org": {"A 192.0.2.1"}, "example.org": {"MX 1 mail.example.org.", "TXT v=spf1 mx ~all"}},
			"SPF good, DKIM doubtful, DMARC good", "SPF doubtful, DKIM doubtful, DMARC good"},
	} {
		t.Run(test.kind+" "+test.settings["host"], func(t *testing.T) {
			settings := map[string]string{}
			for _, m := range []map[string]string{from, test.settings} {
				for k, v := range m {
					settings[k] = v
				}
			}
			all := examineDomain(t, join(join(nameserver.Zone{}, strict), test.records), test.kind, settings)
			if got := verdicts(all); got != "MX good, "+test.all {
				t.Errorf("with everything: %s, want MX good, %s", got, test.all)
			}
			none := examineDomain(t, join(nameserver.Zone{}, strict), test.kind, settings)
			if got := verdicts(none); got != "MX good, "+test.none {
				t.Errorf("with nothing: %s, want MX good, %s", got, test.none)
			}
		})
	}
}

func TestAlignment(t *testing.T) {
	resend := nameserver.Zone{"resend._domainkey.example.org": {aKey}, "send.mail.example.org": {"TXT v=spf1 include:amazonses.com ~all"}, "amazonses.com": {"TXT v=spf1 -all"}}
	for policy, want := range map[string]string{
		"p=reject":                   "passes by DKIM", // the key of the registered domain counts for those under it
		"p=reject; adkim=s":          "passes by SPF",
		"p=reject; adkim=s; aspf=s":  "neither DKIM nor SPF",
		"p=none; sp=reject; adkim=s": "refuse mail that nothing proves; mail of this provider passes by SPF",
		"p=reject; sp=none; adkim=s": "watch mail that nothing proves; mail of this provider passes by SPF",
	} {
		z := join(join(nameserver.Zone{}, resend), nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; " + policy}})
		found := examineDomain(t, z, "resend", map[string]string{"from": "codes@mail.example.org"})
		if f := found["DMARC"]; !strings.Contains(f.Found, want) {
			t.Errorf("%s: found %+v, want %q", policy, f, want)
		}
	}
}

func TestThePolicyForSubdomainsIsNotTheDomainsOwn(t *testing.T) {
	z := join(healthy(), nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; p=none; sp=reject"}})
	if f := examineDomain(t, z, "microsoft365", map[string]string{"from": "codes@example.org"})["DMARC"]; !strings.Contains(f.Found, "watch mail") {
		t.Errorf("found %+v", f)
	}
}

func TestOwnMailServers(t *testing.T) {
	for record, want := range map[string]provider.FindingVerdict{
		"v=spf1 ip4:192.0.2.0/24 -all":                 provider.Good,
		"v=spf1 ip4:192.0.2.0/28 -all":                 provider.Doubtful,
		"v=spf1 a:relay.example.net -all":              provider.Good,
		"v=spf1 a:relay.example.net/24 -all":           provider.Good,
		"v=spf1 a -all":                                provider.Doubtful,
		"v=spf1 a/16 -all":                             provider.Good,
		"v=spf1 -ip4:192.0.2.0/24 -all":                provider.Doubtful,
		"v=spf1 ?a:relay.example.net -all":             provider.Doubtful,
		"v=spf1 include:_spf.example.net -all":         provider.Good,
		"v=spf1 ip6:2001:db8::/32 ptr -all":            provider.Doubtful,
		"v=spf1 exists:%{i}.example.net -all":          provider.Doubtful,
		"v=spf1 mx -all exp=why.example.net unknown=x": provider.Good,
	} {
		z := nameserver.Zone{"example.org": {"MX 10 relay.example.net.", "A 192.0.9.9", "TXT " + record}, "relay.example.net": {"A 192.0.2.99"},
			"_spf.example.net": {"TXT v=spf1 ip4:192.0.2.99 -all"}}
		f := examineDomain(t, z, "smtp", map[string]string{"from": "codes@example.org", "host": "relay.example.net"})["SPF"]
		if f.Verdict != want {
			t.Errorf("%s: found %+v, want %s", record, f, want)
		}
		other := examineDomain(t, z, "smtp", map[string]string{"from": "codes@example.com", "envelope_sender": "bounce@example.org", "host": "relay.example.net"})["SPF"]
		if other.Verdict != want {
			t.Errorf("%s, for the domain of the envelope: found %+v, want %s", record, other, want)
		}
	}
}

func TestDomainsThatACompanyLends(t *testing.T) {
	for kind, from := range map[string]string{"azure_communication_email": "DoNotReply@1a2b.azurecomm.net", "resend": "onboarding@resend.dev",
		"microsoft365": "codes@contoso.onmicrosoft.com", "mailgun": "codes@sandbox1.mailgun.org"} {
		found := examineDomain(t, nameserver.Zone{}, kind, map[string]string{"from": from})
		if f := found["domain"]; len(found) != 1 || f.Verdict != provider.Doubtful || !strings.Contains(f.Do, "domain of your own") {
			t.Errorf("%s: found %+v", kind, found)
		}
	}
}

func TestADomainOutsideASCII(t *testing.T) {
	z := join(healthy(), nameserver.Zone{"xn--bcher-kva.example": {"MX 10 mail.example.org."}})
	if f := examineDomain(t, z, "microsoft365", map[string]string{"from": "codes@b\u00fccher.example"})["MX"]; f.Verdict != provider.Good {
		t.Errorf("found %+v", f)
	}
}
