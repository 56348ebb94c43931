package liquid

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// calculate computes with whole numbers where both are whole, as Liquid does, else with fractions.
func calculate(a, b any, operation byte) (any, error) {
	x, xWhole, err := numeric(a)
	if err != nil {
		return nil, err
	}
	y, yWhole, err := numeric(b)
	if err != nil {
		return nil, err
	}
	var result float64
	switch operation {
	case '+':
		result = x + y
	case '-':
		result = x - y
	case '*':
		result = x * y
	case '/', '%':
		if y == 0 {
			return nil, errZero
		}
		if result = x / y; operation == '%' {
			result = x - y*math.Floor(x/y)
		}
		if xWhole && yWhole {
			result = math.Floor(result)
		}
	}
	if xWhole && yWhole {
		return whole(result), nil
	}
	return result, nil
}

func numeric(v any) (n float64, isWhole bool, err error) {
	switch v := v.(type) {
	case nil:
		return 0, true, nil
	case int:
		return float64(v), true, nil
	case float64:
		return v, false, nil
	case string:
		if n, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && len(v) <= 20 {
			return n, !strings.ContainsAny(v, ".eExXpPnNiI"), nil
		}
	}
	return 0, false, errors.New("not a number")
}

// whole makes an int of what is within 15 digits, else 0.
func whole(f float64) int {
	if math.Abs(f) < 1e15 {
		return int(f)
	}
	return 0
}

func round(n float64, places func(int) int) any {
	p := min(max(places(0), 0), 9)
	rounded := math.Floor(n*math.Pow10(p)+0.5) / math.Pow10(p)
	if p == 0 {
		return whole(rounded)
	}
	return rounded
}
