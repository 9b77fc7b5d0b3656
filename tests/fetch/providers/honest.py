"""An honest answer of each kind of provider, and how a spec would configure the kind."""

from ratectl.model.job import Provider

HONEST = {
    "exchangerate-api-v4": ("exchangerate-api-v4/latest-USD.json", "95.07"),
    "exchangerate-api-open": ("exchangerate-api-open/latest-USD.json", "95.071842"),
    "exchangerate-api-v6": ("exchangerate-api-v6/latest-USD.json", "95.0718"),
    "frankfurter": ("frankfurter-v1/latest-USD-INR.json", "95.12"),
    "ecb": ("ecb/eurofxref-daily.xml", "110.3770"),
    "currency-api-cdn": ("currency-api-cdn/usd.min.json", "95.07199342"),
    "fred": ("fred/fredgraph-DEXINUS.csv", "94.70"),
    "openexchangerates": ("openexchangerates/latest.json", "95.0718"),
    "http-json": ("exchangerate-api-v4/latest-USD.json", "95.07"),
    "http-xml": ("ecb/eurofxref-daily.xml", "110.3770"),
}
"""An honest answer of each kind, and the number in it that the rate comes from."""

OFFICE = Provider(
    name="office",
    kind="http-json",
    base_url="https://rates.internal/{base}.json",
    rate="rates.{quote}",
    date="date",
)
BANK = Provider(
    name="bank",
    kind="http-xml",
    base_url="https://bank.internal/daily.xml",
    rate="Envelope.Cube.Cube.Cube[currency={quote}].rate",
    date="Envelope.Cube.Cube.time",
)


def provider_of(kind, **values):
    """Return a provider of *kind* as a job would have it."""
    templates = {"http-json": OFFICE, "http-xml": BANK}
    return templates.get(kind) or Provider(name=kind, kind=kind, **values)
