"""Codes of currencies that people have beyond the present list of ISO 4217: those that ended, and those in use beside it.

Ends are the last day on which a currency was legal tender in the country that replaced it, as ISO 4217's list three,
its amendments, the Unicode CLDR and the issuers give them. NOW keeps codes of this version's list that a newer list may drop.
"""

from __future__ import annotations

ENDED: dict[str, tuple[str, str]] = {
    "ADP": ("Andorran Peseta", "2002-02-28"),
    "AFA": ("Afghani of 1927", "2003-01-02"),
    "ANG": ("Netherlands Antillean Guilder", "2025-06-30"),
    "AOK": ("Angolan Kwanza of 1977", "1991-03-01"),
    "AON": ("Angolan New Kwanza", "2000-02-01"),
    "AOR": ("Angolan Kwanza Reajustado", "2000-02-01"),
    "ARA": ("Argentine Austral", "1991-12-31"),
    "ARP": ("Argentine Peso of 1983", "1985-06-14"),
    "ATS": ("Austrian Schilling", "2002-02-28"),
    "AZM": ("Azerbaijani Manat of 1993", "2006-12-31"),
    "BEF": ("Belgian Franc", "2002-02-28"),
    "BGL": ("Bulgarian Hard Lev", "1999-07-05"),
    "BGN": ("Bulgarian Lev", "2026-01-31"),
    "BRB": ("Brazilian Cruzeiro of 1967", "1986-02-27"),
    "BRC": ("Brazilian Cruzado", "1989-01-15"),
    "BRE": ("Brazilian Cruzeiro of 1990", "1993-07-31"),
    "BRN": ("Brazilian Cruzado Novo", "1990-03-15"),
    "BRR": ("Brazilian Cruzeiro Real", "1994-06-30"),
    "BYB": ("Belarusian Ruble of 1992", "2000-12-31"),
    "BYR": ("Belarusian Ruble of 2000", "2016-12-31"),
    "CSD": ("Serbian Dinar of 2003", "2006-10-25"),
    "CSK": ("Czechoslovak Koruna", "1993-02-28"),
    "CUC": ("Cuban Convertible Peso", "2021-06-30"),
    "CYP": ("Cyprus Pound", "2008-01-31"),
    "DDM": ("East German Mark", "1990-06-30"),
    "DEM": ("Deutsche Mark", "2001-12-31"),
    "ECS": ("Ecuadorian Sucre", "2000-09-09"),
    "EEK": ("Estonian Kroon", "2011-01-14"),
    "ESP": ("Spanish Peseta", "2002-02-28"),
    "FIM": ("Finnish Markka", "2002-02-28"),
    "FRF": ("French Franc", "2002-02-17"),
    "GEK": ("Georgian Coupon", "1995-10-01"),
    "GHC": ("Ghanaian Cedi of 1979", "2007-12-31"),
    "GRD": ("Greek Drachma", "2002-02-28"),
    "GWP": ("Guinea-Bissau Peso", "1997-05-31"),
    "HRD": ("Croatian Dinar", "1994-12-31"),
    "HRK": ("Croatian Kuna", "2023-01-14"),
    "IEP": ("Irish Pound", "2002-02-09"),
    "ITL": ("Italian Lira", "2002-02-28"),
    "LTL": ("Lithuanian Litas", "2015-01-15"),
    "LTT": ("Lithuanian Talonas", "1993-07-20"),
    "LUF": ("Luxembourg Franc", "2002-02-28"),
    "LVL": ("Latvian Lats", "2014-01-14"),
    "LVR": ("Latvian Ruble", "1994-12-31"),
    "MGF": ("Malagasy Franc", "2004-12-31"),
    "MRO": ("Mauritanian Ouguiya of 1973", "2018-06-30"),
    "MTL": ("Maltese Lira", "2008-01-31"),
    "MXP": ("Mexican Peso of 1861", "1992-12-31"),
    "MZM": ("Mozambican Metical of 1980", "2006-12-31"),
    "NLG": ("Netherlands Guilder", "2002-01-28"),
    "PEI": ("Peruvian Inti", "1991-06-30"),
    "PLZ": ("Polish Zloty of 1950", "1996-12-31"),
    "PTE": ("Portuguese Escudo", "2002-02-28"),
    "ROL": ("Romanian Leu of 1952", "2006-12-31"),
    "RUR": ("Russian Ruble of 1991", "1998-12-31"),
    "SDD": ("Sudanese Dinar", "2007-06-30"),
    "SDP": ("Sudanese Pound of 1957", "1998-06-01"),
    "SIT": ("Slovenian Tolar", "2007-01-14"),
    "SKK": ("Slovak Koruna", "2009-01-16"),
    "SLL": ("Sierra Leonean Leone of 1964", "2024-03-31"),
    "SRG": ("Surinamese Guilder", "2003-12-31"),
    "STD": ("Sao Tome Dobra of 1977", "2017-12-31"),
    "SUR": ("Soviet Ruble", "1991-12-25"),
    "TJR": ("Tajik Ruble", "2001-04-04"),
    "TMM": ("Turkmen Manat of 1993", "2008-12-31"),
    "TPE": ("Timor Escudo", "2002-05-20"),
    "TRL": ("Turkish Lira of 1922", "2005-12-31"),
    "UAK": ("Ukrainian Karbovanets", "1996-09-16"),
    "USS": ("US Dollar, same day", "2014-03-01"),
    "UYP": ("Uruguayan Peso of 1975", "1993-02-28"),
    "VEB": ("Venezuelan Bolivar of 1879", "2008-06-30"),
    "VEF": ("Venezuelan Bolivar Fuerte", "2018-08-19"),
    "XEU": ("European Currency Unit", "1998-12-31"),
    "XFO": ("Gold Franc", "2003-03-31"),
    "XFU": ("UIC Franc", "2013-11-30"),
    "XRE": ("RINET Funds Code", "1999-11-30"),
    "YUD": ("Yugoslav Hard Dinar", "1989-12-31"),
    "YUM": ("Yugoslav New Dinar", "2003-07-02"),
    "YUN": ("Yugoslav Convertible Dinar", "1992-06-30"),
    "ZAL": ("Financial Rand", "1995-03-12"),
    "ZMK": ("Zambian Kwacha of 1968", "2012-12-31"),
    "ZRN": ("New Zaire", "1999-06-30"),
    "ZRZ": ("Zaire", "1993-10-31"),
    "ZWD": ("Zimbabwe Dollar of 1980", "2006-08-21"),
    "ZWL": ("Zimbabwe Dollar of 2009", "2024-08-31"),
    "ZWN": ("Zimbabwe Dollar of 2006", "2008-07-31"),
    "ZWR": ("Zimbabwe Dollar of 2008", "2009-06-30"),
}
"""Code -> name, and the last day as ISO 8601."""

BESIDE: dict[str, str] = {
    "ADA": "Cardano",
    "AVAX": "Avalanche",
    "BCH": "Bitcoin Cash",
    "BNB": "BNB",
    "BTC": "Bitcoin",
    "CNH": "Renminbi offshore",
    "DAI": "Dai",
    "DOGE": "Dogecoin",
    "DOT": "Polkadot",
    "ETC": "Ethereum Classic",
    "ETH": "Ether",
    "FOK": "Faroese Krona",
    "GGP": "Guernsey Pound",
    "IMP": "Isle of Man Pound",
    "JEP": "Jersey Pound",
    "KID": "Kiribati Dollar",
    "LINK": "Chainlink",
    "LTC": "Litecoin",
    "MATIC": "Polygon",
    "PRB": "Transnistrian Ruble",
    "SHIB": "Shiba Inu",
    "SLS": "Somaliland Shilling",
    "SOL": "Solana",
    "TON": "Toncoin",
    "TRX": "Tron",
    "TVD": "Tuvaluan Dollar",
    "USDC": "USD Coin",
    "USDT": "Tether",
    "XBT": "Bitcoin",
    "XLM": "Stellar Lumen",
    "XMR": "Monero",
    "XRP": "XRP",
}
"""Codes that providers and accounts use without ISO's leave -> name."""

WORDS: dict[str, str] = {
    "BITCOIN": "BTC",
    "DOLLAR": "USD",
    "ETHER": "ETH",
    "ETHEREUM": "ETH",
    "EURO": "EUR",
    "FRANKEN": "CHF",
    "GOLD": "XAU",
    "NIS": "ILS",
    "NTD": "TWD",
    "PLATINUM": "XPT",
    "POUND": "GBP",
    "RMB": "CNY",
    "RUPEE": "INR",
    "SDR": "XDR",
    "SFR": "CHF",
    "SILVER": "XAG",
    "STERLING": "GBP",
    "STG": "GBP",
    "TETHER": "USDT",
    "UKP": "GBP",
    "YEN": "JPY",
    "YUAN": "CNY",
}
"""What people write in place of a code -> the code that they probably mean."""

LIST = (
    "AED UAE dirham, AFN afghani, ALL Albanian lek, AMD Armenian dram, AOA kwanza, ARS Argentine peso, "
    "AUD Australian dollar, AWG Aruban florin, AZN Azerbaijani manat, BAM convertible mark, "
    "BBD Barbados dollar, BDT taka, BHD Bahraini dinar, BIF Burundi franc, BMD Bermudian dollar, "
    "BND Brunei dollar, BOB boliviano, BOV Bolivian mvdol, BRL Brazilian real, BSD Bahamian dollar, "
    "BTN ngultrum, BWP pula, BYN Belarusian ruble, BZD Belize dollar, CAD Canadian dollar, "
    "CDF Congolese franc, CHE WIR euro, CHF Swiss franc, CHW WIR franc, CLF unidad de fomento, "
    "CLP Chilean peso, CNY yuan renminbi, COP Colombian peso, COU unidad de valor real, "
    "CRC Costa Rican colón, CUP Cuban peso, CVE Cabo Verde escudo, CZK Czech koruna, DJF Djibouti franc, "
    "DKK Danish krone, DOP Dominican peso, DZD Algerian dinar, EGP Egyptian pound, ERN nakfa, "
    "ETB Ethiopian birr, EUR euro, FJD Fiji dollar, FKP Falkland Islands pound, GBP pound sterling, "
    "GEL lari, GHS Ghana cedi, GIP Gibraltar pound, GMD dalasi, GNF Guinean franc, GTQ quetzal, "
    "GYD Guyana dollar, HKD Hong Kong dollar, HNL lempira, HTG gourde, HUF forint, IDR Indonesian rupiah, "
    "ILS new Israeli shekel, INR Indian rupee, IQD Iraqi dinar, IRR Iranian rial, ISK Iceland króna, "
    "JMD Jamaican dollar, JOD Jordanian dinar, JPY Japanese yen, KES Kenyan shilling, KGS som, KHR riel, "
    "KMF Comorian franc, KPW North Korean won, KRW South Korean won, KWD Kuwaiti dinar, "
    "KYD Cayman Islands dollar, KZT tenge, LAK Lao kip, LBP Lebanese pound, LKR Sri Lanka rupee, "
    "LRD Liberian dollar, LSL loti, LYD Libyan dinar, MAD Moroccan dirham, MDL Moldovan leu, MGA ariary, "
    "MKD Macedonian denar, MMK kyat, MNT tugrik, MOP pataca, MRU ouguiya, MUR Mauritius rupee, MVR rufiyaa, "
    "MWK Malawi kwacha, MXN Mexican peso, MXV Mexican unidad de inversión, MYR Malaysian ringgit, "
    "MZN Mozambique metical, NAD Namibia dollar, NGN naira, NIO córdoba, NOK Norwegian krone, "
    "NPR Nepalese rupee, NZD New Zealand dollar, OMR Omani rial, PAB balboa, PEN sol, PGK kina, "
    "PHP Philippine peso, PKR Pakistan rupee, PLN Polish złoty, PYG guaraní, QAR Qatari riyal, "
    "RON Romanian leu, RSD Serbian dinar, RUB Russian ruble, RWF Rwanda franc, SAR Saudi riyal, "
    "SBD Solomon Islands dollar, SCR Seychelles rupee, SDG Sudanese pound, SEK Swedish krona, "
    "SGD Singapore dollar, SHP Saint Helena pound, SLE leone, SOS Somali shilling, SRD Surinam dollar, "
    "SSP South Sudanese pound, STN dobra, SVC El Salvador colón, SYP Syrian pound, SZL lilangeni, THB baht, "
    "TJS somoni, TMT Turkmenistan manat, TND Tunisian dinar, TOP pa'anga, TRY Turkish lira, "
    "TTD Trinidad and Tobago dollar, TWD new Taiwan dollar, TZS Tanzanian shilling, UAH hryvnia, "
    "UGX Uganda shilling, USD US dollar, USN US dollar (next day), UYI Uruguayan peso in indexed units, "
    "UYU Uruguayan peso, UYW unidad previsional, UZS Uzbekistan sum, VED digital bolívar, "
    "VES bolívar soberano, VND đồng, VUV vatu, WST tala, XAD Arab accounting dinar, XAF CFA franc BEAC, "
    "XAG troy ounce of silver, XAU troy ounce of gold, XBA European composite unit, "
    "XBB European monetary unit, XBC European unit of account 9, XBD European unit of account 17, "
    "XCD East Caribbean dollar, XCG Caribbean guilder, XDR special drawing right, XOF CFA franc BCEAO, "
    "XPD troy ounce of palladium, XPF CFP franc, XPT troy ounce of platinum, XSU sucre, XTS test currency, "
    "XUA ADB unit of account, YER Yemeni rial, ZAR rand, ZMW Zambian kwacha, ZWG Zimbabwe gold"
)
NAMES: dict[str, str] = dict(entry.split(" ", 1) for entry in LIST.split(", "))
"""Code -> name, as one says it within a sentence."""
NOW = frozenset(NAMES)
"""ISO 4217 as of 2026-01-01, without the code for no currency."""


def ended(code: str) -> str:
    """Return when and as what the currency of *code* ended, as a phrase; empty for one that did not."""
    if code not in ENDED:
        return ""
    name, day = ENDED[code]
    return f"{code} ({name}) ended on {day}"


def name(code: str) -> str:
    """Return the name of the currency *code*; the code itself where no list has one."""
    past = ENDED.get(code, ("", ""))[0]
    return NAMES.get(code) or BESIDE.get(code) or past or code
