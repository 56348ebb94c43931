package transform

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/otpost/otpost/internal/digit"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// phones are the methods of phone-number-claims-transformations.md. Its examples show that B2C does not ask whether a
// country has given out a number: 033 456-7890 of DK is +450334567890, with a zero that no Danish number has.
var phones = []method{
	{
		name:    "ConvertPhoneNumberClaimToString",
		inputs:  []slot{typed("phoneNumber", claim.PhoneNumber)},
		outputs: []slot{str("phoneNumberString")},
		run: func(r *run) error {
			r.output("phoneNumberString", claim.Text(r.text("phoneNumber")))
			return nil
		},
	},
	{
		// The first version of the document called the input inputClaim.
		name:    "ConvertStringToPhoneNumberClaim",
		inputs:  []slot{str("phoneNumberString").or("inputClaim"), str("country").maybe()},
		outputs: []slot{typed("outputClaim", claim.PhoneNumber)},
		run: func(r *run) error {
			number, err := international(r.text("phoneNumberString"), r.text("country"))
			if err != nil {
				return r.invalidNumber("UserMessageIfClaimsTransformationInvalidPhoneNumber", err)
			}
			r.output("outputClaim", claim.Text(number.String()))
			return nil
		},
	},
	{
		name:   "GetNationalNumberAndCountryCodeFromPhoneNumberString",
		inputs: []slot{str("phoneNumber")},
		parameters: []parameter{
			param("throwExceptionOnFailure").as(claim.Boolean).maybe(),
			param("countryCodeType").within("CallingCode", "ISO3166").maybe(),
		},
		outputs: []slot{str("nationalNumber").maybe(), str("countryCode").maybe()},
		run:     splitNumber,
	},
}

// splitNumber leaves claims as they are when there is no number in the input, unless throwExceptionOnFailure is true.
// That CallingCode is the default of countryCodeType is UNCONFIRMED.
func splitNumber(r *run) error {
	number, err := international(r.text("phoneNumber"), "")
	country := "+" + number.code
	if err == nil && r.choice("countryCodeType") == "iso3166" {
		country, err = number.region()
	}
	switch {
	case err != nil && r.on("throwExceptionOnFailure", false):
		return r.invalidNumber("UserMessageIfPhoneNumberParseFailure", err)
	case err != nil:
		return nil
	}
	r.output("nationalNumber", claim.Text(number.national))
	r.output("countryCode", claim.Text(country))
	return nil
}

// invalidNumber has a text of ours: B2C's own for either key is UNCONFIRMED.
func (r *run) invalidNumber(key string, cause error) error {
	return &trustframework.Failure{Key: key, Default: "The phone number is not valid. Please enter it with its country code.", Profile: r.transformation.ID, Cause: cause}
}

// number is a phone number cut after its calling code.
type number struct{ code, national string }

func (n number) String() string { return "+" + n.code + n.national }

// most is how many digits a number may have, with its calling code (E.164, 6.2.1).
const most = 15

// fewest is how many digits are asked for after the calling code. What B2C asks for is UNCONFIRMED; the predicates of
// its samples take four digits and more.
const fewest = 4

// international reads a number in international form, or the local number of a country, as two letters of ISO 3166. One
// that begins with + is taken as international even if there is a country: UNCONFIRMED. Its errors do not repeat it.
func international(text, country string) (number, error) {
	digits, plus, err := dial(text)
	if err != nil {
		return number{}, err
	}
	if plus {
		return cut(digits)
	}
	country = strings.ToUpper(strings.TrimSpace(country))
	code := phonenumbers.GetCountryCodeForRegion(country)
	switch {
	case country == "":
		return number{}, errors.New("the number has no + and calling code, and there is no country")
	case code == 0:
		return number{}, errors.New("the country is not a code of ISO 3166 that has a calling code")
	}
	return cut(strconv.Itoa(code) + digits)
}

// dial keeps the digits of a number. Between them may be what people write there.
func dial(text string) (digits string, plus bool, err error) {
	text = strings.TrimSpace(text)
	rest, plus := strings.CutPrefix(text, "+")
	var kept strings.Builder
	for _, r := range rest {
		switch {
		case unicode.IsDigit(r):
			kept.WriteByte(digit.ASCII(r))
		case !unicode.IsSpace(r) && !strings.ContainsRune(".-()/", r):
			return "", false, errors.New("the number has a character that no number has")
		}
	}
	return kept.String(), plus, nil
}

// cut finds the calling code that a number begins with. No code is the beginning of another.
func cut(digits string) (number, error) {
	for n := 1; n <= 3 && n < len(digits); n++ {
		if digits[0] == '0' || mainRegion(digits[:n]) == phonenumbers.UNKNOWN_REGION {
			continue
		}
		switch national := digits[n:]; {
		case len(digits) > most:
			return number{}, errors.New("the number has more than 15 digits")
		case len(national) < fewest:
			return number{}, errors.New("the number is too short")
		default:
			return number{digits[:n], national}, nil
		}
	}
	return number{}, errors.New("the number begins with no calling code of a country")
}

// region is the country of a number, as two letters of ISO 3166: where several share a calling code the one that has
// given out the number, else the main one. Some codes, such as +800, are of none.
func (n number) region() (string, error) {
	region := ""
	if parsed, err := phonenumbers.Parse(n.String(), ""); err == nil {
		region = phonenumbers.GetRegionCodeForNumber(parsed)
	}
	if region == "" {
		region = mainRegion(n.code)
	}
	if len(region) != 2 {
		return "", errors.New("the calling code is of no country")
	}
	return region, nil
}

// mainRegion is the main country of a calling code.
func mainRegion(code string) string {
	n, err := strconv.Atoi(code)
	if err != nil {
		return phonenumbers.UNKNOWN_REGION
	}
	return phonenumbers.GetRegionCodeForCountryCode(n)
}
