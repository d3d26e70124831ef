"""What the plates of each state look like, in a table.

Serial patterns: l letter, d digit, n digit 1-9, capitals and digits stand for
themselves, space gap, - dash, . raised dot, * picture between the groups,
< picture left of the serial, {ab} small stacked characters that are no part of
the registration number (l and d work inside), # symbol in the serial (vanity).
Colours are RRGGBB. `bg` is a vertical gradient, `fg` the serial's colour.
"""

CODES = ["AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY",
         "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH",
         "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY"]


def D(fg, bg, top="", bottom="", pats="lll dddd", ncol=None, scol=None, nfont="sans", sfont="sans", w=1.0, art="",
      bands=None, die=None, sticker="tr", kind="passenger", chh=None, ty=None, nsize=None):
    """One design. top/bottom: lettering, | separates choices; `~` marks the state's name is small."""
    return dict(fg=fg.split(), bg=bg.split(), top=top.split("|"), bottom=bottom.split("|"), pats=pats.split("|"),
                ncol=(ncol or fg).split(), scol=(scol or ncol or fg).split(), nfont=nfont, sfont=sfont, w=w, art=art,
                bands=bands, die=die or {}, sticker=sticker, kind=kind, chh=chh, ty=ty, nsize=nsize)


# Letters whose shape a state's die is known for.
CA4 = {"4": "open|openlow|openlow|openhigh|", "1": "flag|flag|flag|both|serif", "I": "serif", "6": "slant|slant|", "3": "", "7": "|curve", "0": "", "M": "mid|", "W": "low|"}
CA1 = {"variants": {**CA4}, "flat": False}
VA = {"font": "serif"}

STATES = {
    "AL": [D("B22222 8A1020 202040", "F2F2F2 F4F4F4", "Stars Fell On|Heart of Dixie", "Alabama", "nAddddl|ndAdddl|nldldl|nlldddd|ndlldld", "3050A0", "A02030", nfont="script", sfont="serif", art="topstars", sticker="bb"),
           D("202030 101010", "BFD8E8 F0F0F0 C0D8B0", "Sweet Home", "ALABAMA|Alabama", "nddlddl|nAddddl|ndllddd", "304080", nfont="serif", art="hills", sticker="bb")],
    "AK": [D("1A2C8C 203080", "F2C230 F5CF3A", "ALASKA", "The Last Frontier|CELEBRATING STATEHOOD 1959 2009|1959 GOLD RUSH CENTENNIAL", "lll ddd|llll dd|<lllddd", nfont="serif", art="|leftflag"),
           D("A02020 202020", "A8C8E0 F0F0F0", "ALASKA", "", "lll ddd", "203080", nfont="serif", art="mountains")],
    "AZ": [D("105040 0A4A48 203030", "F6F6F4 E8F0F0 E8C8A8", "ARIZONA", "GRAND CANYON STATE", "lllDDDD|lll ddd|ddd.lll|lllldd|llddlll|lll4lll|dll-ddd", "1A7A78", "303060", nfont="sans", art="purplemts")],
    "AR": [D("B01820 202020 702028", "F4F4F4 F0F0F4", "Arkansas", "The Natural State", "ddd lll|lll ddd|lll ddl|ddd*lll", "203A8C 8C1C24", "203050", nfont="sans", sfont="serif")],
    "CO": [D("F6F6F6", "0E4A30 0E4A30", "COLORADO", "", "ddd.lll|lll-ddd|lll ddd|lll-ldd|ddd-lll", "0E4A30 F6F6F6", art="comts"),
           D("0E4030 103828 202020", "F4F6F4 F4F6F4", "", "COLORADO", "ddd.lll|lll ddd|lll-ldd|ddd*lll", "0E4A30", art="comts_dark"),
           D("202020", "C03020 6A4A90 204090 F4F4F4", "COLORADO", "U.S. MARINE CORPS|RESPECTS WILDLIFE|SUPPORT THE TROOPS", "ddd*lll|<ddd lll", "F0F0F0", art="comts_dark", w=0.4)],
    "CT": [D("24407C 1C3870 304A80", "7AB0DC C0DCEC F2F4F4", "Connecticut", "Constitution State", "ddd.lll|lll.ddd|ll.ddddd|lll.ddd|l.ddddd|llddddd", "203878", nfont="serif", sfont="serif", art="stateleft")],
    "DE": [D("E0B95C E8C878 C8A050", "12286C 1C3A80 10204C", "THE FIRST STATE", "DELAWARE", "dddddd|ddddd|Cddddd|PCddddd|dddd|<ddddd", "E8C878", sticker="br", die={"font": "serif?"}),
           D("F0F0F0", "101010 181818", "DELAWARE", "", "dddddd|ddddd|dddd", w=0.15, sticker="br")],
    "DC": [D("24409C 203080", "F4F4F4 F4F4F4", "WASHINGTON, DC|Washington, D.C.|DISTRICT OF COLUMBIA", "TAXATION WITHOUT REPRESENTATION|END TAXATION WITHOUT REPRESENTATION|CELEBRATE & DISCOVER", "ll=dddd|ll-dddd|ddd=ddd|{ll}dddd|<dddd", "203880", nfont="sans", art="dclines")],
    "FL": [D("0E5A48 146050", "F2F4F0 EEF2EC", "MYFLORIDA.COM|FLORIDA", "SUNSHINE STATE|ORANGE|LAKE|DADE|IN GOD WE TRUST|BROWARD|DUVAL", "ldd*dll|ddd*lll|lll*ldd|llld*dd|lll*dd|lldd*ll|llldd|lldllldd", "14705A", art="orange")],
    "GA": [D("202020 282828", "F4F4F2 F6F4EE", "GEORGIA.gov|GEORGIA|www.georgia.gov", "CHEROKEE|CLAYTON|IN GOD WE TRUST|FULTON|COBB|DEKALB|CHATTAHOOCHEE", "lll*dddd|lll dddd|lll*ddd|<lldddd|ddd lll", nfont="serif", art="peach", sticker="br")],
    "HI": [D("202020 303030", "F2F2EE F4F4F0", "HAWAII", "ALOHA STATE", "lll ddd|lll.ddd|<llddd|ddd-ddd", art="rainbow")],
    "ID": [D("2A2440 202438 202020", "C02830 D87870 F0F0F4 7090C8 204088", "Scenic IDAHO|IDAHO", "FAMOUS POTATOES|CENTENNIAL", "nl ldddd|nl lddd|nl lldd|nl lldddl|{dl} dddd|{dl}ddddl|n ddddd|lll ddd|nl dddddd|l ddddd|nl lddDl|{DLR}dddd", "F4F4F4 802028", "F4F4F4 203878", nfont="sans", art="pines", sticker="br")],
    "IL": [D("B02830 A82028 8C2030 D03040", "D8ECF8 F4F4F6 D8E0F4", "Illinois", "Land of Lincoln", "ddd dddd|ldd dddd|ll ddddd|lll dddd|ddd ddd|lddddd|ll*dddd", "2848A0", nfont="script", sfont="serif", art="face")],
    "IN": [D("F4F4F8", "1838A0 2040B0", "{dd-dd} dd - Wayne", "INDIANA", "dddlll|ddd lll|<dddlll|<lldddd", "F4F4F4", nfont="serif", art="|torch", sticker="tl"),
           D("203878 202040", "F4F4F0 F0E8C8 80B8D8", "INDIANA", "IN GOD WE TRUST|dd Lake|", "dddlll|ddd lll|lllddd|dddl", "203878", nfont="serif", art="hills")],
    "IA": [D("203C90 1C3484", "70B0E4 E8F0F4 F4F4F4", "IOWA", "POLK|LINN|SCOTT|JOHNSON|SIOUX|JASPER|MARSHALL|STORY", "ddd lll|dddd ll|lll ddd", "203C90", nfont="serif", art="city", sticker="bl")],
    "KS": [D("203068 202050", "A8C0DC C8D8E8 C0D0E4", "KANSAS", "|SG|SN|JO", "ddd lll|lll ddd|dddlll|dddllll", "203068", nfont="serif", art="seal", sticker="bl")],
    "KY": [D("2A4488 203878 202020", "88B4E0 F0F4F8 F4F4F6", "Kentucky|KENTUCKY", "KENTON|BOONE|CLARK|FAYETTE|JEFFERSON|IN GOD WE TRUST", "ddd*lll|lll*ddd|ddd lll|lldddl", "203878", "F4F4F4 203878", nfont="script", art="bottombox", sticker="br")],
    "LA": [D("202C70 202020 203070", "F4F4F0 F2F0E8", "Louisiana|LOUISIANA", "SPORTSMAN'S PARADISE|Sportsman's Paradise|TRUCK|Louisiana Purchase|Bayou State", "lll ddd|ldddddd|ddd lll|lll*ddd|<lllddd|dddllll", "C02830", "2040A0 C02830", nfont="script", art="|pelican", sticker="br")],
    "ME": [D("202820 202020", "F2F2EC EEF0E4", "MAINE", "Vacationland", "dddd ll|ddd lll|dd-ddd|<dddd ll|ddddd|ddd-lll", "203030", "207050", nfont="serif", sfont="serif", art="pineleft")],
    "MD": [D("202020", "F4F4F0 F2F2EE", "Maryland", "www.maryland.gov|", "lll*ddd|dll*ddd|nll*ldd|ddd*ddl|dlldddd|{lll}dddd|{ll}dddd|dlldldd", "202020", nfont="serif italic", art="shield", sticker="bothtop"),
           D("202020", "F4F4F4 F0E0C0", "MARYLAND", "www.maryland.gov|1812 2012", "dlldddd|dll dddd|dlldldd", art="flagband", w=0.6)],
    "MA": [D("C02028 B82030 A82028", "F2F2F4 EEF0F4", "Massachusetts", "The Spirit of America|Cape Cod & Islands|United We Stand|Preserve the Trust", "ddd lld|ddd lll|dddd ll|ddl lDd|dlldd|dll ldd|{ll}ddll|{ll}dddd|dddlld|ddd.lll", "2A48A4", nfont="serif", sfont="serif italic", sticker="tr", art="monthtl")],
    "MI": [D("203070 1C2860", "F4F4F6 F0F2F6", "MICHIGAN|PURE MICHIGAN", "www.Michigan.gov|Spectacular Peninsulas", "lll dddd|lll ddl|dll lDd|<dddd|dlldDd", "F4F4F6", "203878", nfont="serif", bands=[("top", 0.24, "203880")]),
           D("304890 2848A0", "B8D8F0 F4F4F4", "PURE MICHIGAN", "www.Michigan.gov|", "lll dddd|dll ldd|lll ddd", "5070C0", nfont="sans")],
    "MN": [D("203070 1C2C74", "88C0E8 E8F0F4 B8D8E8", "Minnesota|EXPLORE Minnesota", "10,000 lakes|PROUD TO BE A VETERAN", "lll*ddd|ddd*lll|lll-ddd|#dddd{lH}|<llddd|ddd lll", "203C90", nfont="sans", sfont="sans", art="lake", sticker="bb")],
    "MS": [D("203050 202038 30284C", "B8D0E8 F4E8B0 F0C880", "MISSISSIPPI", "TATE|QUITMAN|HANCOCK|B-10|HINDS|RANKIN|DESOTO", "lll*ddd|dll*ddd|lll ddd|lll dddd|{ll}ldddd|<dldDd", "304060", nfont="serif", art="lighthouse", sticker="bb")],
    "MO": [D("203068 202C70", "90B8E0 C8DCF0 F0F4F8", "Missouri", "SHOW-ME STATE|BICENTENNIAL 1821-2021|", "lld*ldl|lll ddd|ddd lll|lld lDl|dll ldl", "203068", nfont="serif", art="wave", sticker="ctr"),
           D("204090 202860", "F0F4F4 F0F4F4", "MISSOURI", "SHOW-ME STATE", "ddd lll|lll ddd", "208070", w=0.4)],
    "MT": [D("F4F4F8", "203878 2A4A98", "MONTANA", "Treasure State|Big Sky Country", "n-ddddl|nn-ddddl|dddlll|lllddd|nn ddddl|{nn}ddddl", "F0F0F4", nfont="sans", art="mtshape"),
           D("202020", "F0C030 F8F8F4 A0C8E0", "MONTANA", "TREASURE STATE|DON'T TREAD ON ME", "<lllddd|<llldd|ddddll", art="|mountains", w=0.8)],
    "NE": [D("203878 2040A0", "F4F4F4 F0F0F0", "Nebraska|NEBRASKA", "nebraska.gov|1867 2017|", "nn-lddd|n-ldddd|lll ddd|n-ldddd|ddd lll", "C02830 2040A0", nfont="script", sfont="sans", art="outline")],
    "NV": [D("24307C 202C6C 203070", "F0B850 F4F4F4 88B4DC 5088C0", "NEVADA", "THE SILVER STATE|Home Means Nevada", "ddd.lll|lll-ddd|dddlll|ddl.ddd|lldddd|ddd-lll", "202C6C", nfont="serif", art="mountains2", die=None)],
    "NH": [D("147050 106A48 187850", "E4ECE8 C8DCD8 E0E8E0", "LIVE FREE OR DIE", "New HAMPSHIRE|NEW HAMPSHIRE", "ddd dddd|dddddd|ddd ddd|<dldDd|{CH}dddd|ddd.dddd", "147050", nfont="sans", art="oldman", sticker="bb")],
    "NJ": [D("202020 282420", "F0D858 F4E8A8 F6F0D0", "New Jersey", "Garden State|FIREFIGHTER|PRICE OF HONOR", "lll*ddl|lll-ddl|ldd*lll|lll*ddd|ldd-lll|<dddd{lE}|{ll}dddd|lDd lll", nfont="serif", sfont="sans", art="")],
    "NM": [D("F0CC40 F0D050", "18888C 209498", "CENTENNIAL 1912-2012|", "NEW MEXICO|NEW MEXICO LAND OF ENCHANTMENT", "lll*ddd|ddd*lll|lll-ddd", "F4F0D0", die=None, art="zia"),
           D("B02020 C02828", "F0CC30 F0D040", "NEW MEXICO USA|New Mexico USA", "Land of Enchantment", "ddd*lll|lll*ddd|llldDd", art="zia")],
    "NY": [D("203068 203078", "F4F4F4 F4F4F4", "NEW YORK", "THE EMPIRE STATE|EMPIRE STATE", "lll*dddd|lll-dddd|ddddlll|lll dddd|lldd*ll", "F4F4F4", nfont="serif", bands=[("top", 0.22, "203878"), ("bottom", 0.16, "203878")]),
           D("202C60 202860", "F0A820 F4B030", "NEW YORK", "EMPIRE STATE", "lll*dddd|lll-dddd|lll dddd", "202860 F0A820", nfont="serif"),
           D("202C60", "F4F4F4 F8F8F4", "NEW YORK", "EXCELSIOR", "lll-dddd|lll dddd", "202C60 E0A020", w=0.6)],
    "NC": [D("2848A8 2444A0 B02830 2040B0", "F2F2F4 E8EEF4", "First in Flight|FIRST IN FREEDOM", "NORTH CAROLINA", "lll-dddd|lll-dddd|dddd{ll}|<dddd{ll}|lll.dd|{VF}dddd|<lddd{lC}|<ldddd", "C02830", "C82830", nfont="serif", art="plane", sticker="bothtop")],
    "ND": [D("202020 282828", "4C98D0 A8D0E8 F4E8D0 D0A040", "Discover the Spirit|Legendary", "NORTH DAKOTA|NORTH DAKOTA PEACE GARDEN STATE", "lll ddd|ddd lll|<ddddd", "F4F4F4", "202020", nfont="script", art="prairie")],
    "OH": [D("203070 202858", "C83038 F4F4F4 F4F4F4 F4F4F4", "Ohio", "Birthplace of Aviation|", "lll dddd|lll.dddd|lldd ll|<lllddd", "2848A0", nfont="script", art="ohio", sticker="bb", bands=[("bottom", 0.13, "3060B0")])],
    "OK": [D("8C2030 98202C 204898", "A8D0E8 F0F0F0 E8F0F4", "OKLAHOMA|Oklahoma", "NATIVE AMERICA|Explore Oklahoma|TravelOK.com", "<dddlll|<lllddd|lll ddd|lll*ddd|ddd*lll", "202020 204080", nfont="sans", art="")],
    "OR": [D("2A3060 303468 202848", "C8D0E8 D8DCEC C0C8DC", "Oregon", "|Pacific Wonderland", "lll*ddd|ddd*lll|lll ddd|{lG}ddddd|{CT}ddddd", "203060", nfont="serif", art="tree", sticker="bb"),
           D("F0C020", "102060 182870", "OREGON", "Pacific Wonderland", "lll ddd|ddd lll", w=0.3), D("102860", "F0B828", "OREGON", "", "lll ddd", w=0.2)],
    "PA": [D("203070 202C60", "F4F4F4 F4F4F4", "PENNSYLVANIA", "visitPA.com|WWW.STATE.PA.US", "lll*dddd|lll-dddd|lll dddd|<dddd{ll}|lldddd", "F4F4F4", "203878", nfont="sans", bands=[("top", 0.19, "203880"), ("bottom", 0.2, "F0D030")]),
           D("203070", "2C50A0 F0F4F8 F0E070", "PENNSYLVANIA", "WWW.STATE.PA.US|KEYSTONE STATE", "lll*dddd|lll-dddd", "F4F4F4", w=0.5)],
    "RI": [D("303C68 28345C", "E8EEF0 DCE6EC D0DCE8", "Rhode Island", "Ocean State", "ll-ddd|ddd-ddd|ddd ddd|ll ddd|ddddd|<ddddd|dlldd", "283C70", nfont="serif", sfont="serif", art="wave")],
    "SC": [D("202020 202840", "5090D0 F4F4F4 E89060", "South Carolina", "TRAVEL2SC.COM|While I Breathe I Hope|Smiling Faces. Beautiful Places.", "lll*ddd|ddd*lll|llldDd|{lR}dddd|{ll}ddddd|<dddd", "203070", nfont="serif", art="palm", sticker="bb")],
    "SD": [D("203888 2040A0 202020", "A8CCE8 F0F4F8 E0E8F0", "South Dakota", "GREAT FACES. GREAT PLACES.|Great Faces Great Places", "dll ddd|lldddd|nll dDd|ddl ddd|dllddd|nl dddd|n2l ddd", "C03030", "C03030", nfont="script", art="rushmore", sticker="br")],
    "TN": [D("202820 202020 203028", "F2F4F0 D8E4D8 90B090", "Tennessee", "KNOX|DAVIDSON|SHELBY|WARREN|BLOUNT", "ddd-lll|ddd*lll|lddddl|lll dddd|ddd lll|lDdddl", "202020", nfont="script", art="hillsgreen", sticker="bothtop"),
           D("F4F4F4", "1C3060 203870", "TENNESSEE", "THE VOLUNTEER STATE|TNVACATION.COM", "lll dddd|ddd lll|lddddl", w=0.4)],
    "TX": [D("202848 202020 203060", "F4F4F4 E8F0F8 F4F4F4", "TEXAS", "The Lone Star State|THE LONE STAR STATE|", "lll.dddd|lll*dddd|lld*lddd|ddd*lll|lld-lddd|lll ddd", "B02838 202020 204080", nfont="sans", art="|txstar|"),
           D("202020", "F4F4F4 F6F6F6", "TEXAS", "The Lone Star State|", "lll-dddd|lll*dddd", "202020", art="txstar", w=0.7)],
    "UT": [D("202850 203068 202020", "D8E8F4 F0D0B0 E88040", "UTAH", "LIFE ELEVATED|GREATEST SNOW ON EARTH|CENTENNIAL", "lDd*dll|ldddll|ddd lll|lll ddd|dddd ll|ldd*dll|<ddddl", "C02030 203070", nfont="serif", art="arch"),
           D("202020", "F4F4F4", "UTAH|Utah", "Life Elevated|In God We Trust", "lDddll|<ddddl|dddlll", "C03030", w=0.5, art="|mountains")],
    "VT": [D("F4F6F4 E8F0E8", "106848 0C6040 147050", "Vermont", "Green Mountain State", "lll ddd|lll ddd|ddddd|dddd|{TRK}ddddd|<ddddd|lll.ddd", "F4F6F4", nfont="sans", sticker="br")],
    "VA": [D("24388C 203480 2C4090", "D8E8F4 E4ECF4 E8EEF4", "VIRGINIA", "VIRGINIA IS FOR LOVERS|JAMESTOWN 2007|WILDLIFE CONSERVATIONIST|1607 400th Anniversary 2007||", "lll-dddd|lll-dddd|lll dddd|ddd*ddd|<dddd ll|<ddddll|<lldddd|ddd*dll|#dddddd|dddddl<", "2848A8 C02830", nfont="serif", die={"font": "serif?"}, sticker="bothtop")],
    "WA": [D("202C60 24307C 202850", "E0E8F4 B8CCE8 E8EEF4", "WASHINGTON|Washington", "EVERGREEN STATE|Evergreen State|GO COUGARS", "ddd-lll|lll dddd|lllddddd|ddddd-l|{LH}ddddd|lllddDd|ldddddl", "C02838", "283C80", art="rainier")],
    "WI": [D("202020 282828 C02028", "F4F4F4 F6F6F4", "WISCONSIN", "America's Dairyland", "ddd-lll|lll-dddd|ddd-lll|lll ddd|ll-dddd", "C02830", "C02830", nfont="sans", sfont="serif italic", art="wiscene", sticker="bb", bands=[("topline", 0.22, "2050A0")])],
    "WV": [D("203070 202C68 2848A0", "F4F4F4 F4F4F4", "West Virginia", "Wild, Wonderful|Wild Wonderful", "dl dddd|dll ddd|lll ddd|dll*ddd|ddd|dddd|dl dDdd", "F0B830", "203878", nfont="serif", sfont="serif", bands=[("top", 0.26, "203880")], sticker="br"),
           D("3C4C70", "C0D8EC F0E8C0 E8F0F0", "West Virginia", "Wild, Wonderful", "dll ddd|lll ddd|ddd", w=0.3, nfont="serif", art="hills")],
    "WY": [D("202020 202848", "3880C8 A8C8E0 D8D0B0", "TRK|DEMO|", "WYOMING", "d*dddl|d*dddd|{dd}*ddll|{dd}*dddl|d*ddd{ll}|{dd}*ddd{ll}|n*ddddd|nn ddddd|n*dddl", "202020 F4F4F4", nfont="serif", art="butte"),
           D("203060 B02030", "60A0D8 F0F0F0 A0C890", "Wyoming", "1890 Centennial 1990|", "d*ddd{ll}|{dd}*ddd{ll}|d*dddl|n*ddddl", "203878", nfont="serif", w=0.6)],
}

# California by kind; weights are roughly what a patrol car meets, with rare kinds raised.
CA_WHITE = "F4F4F4 F0F0F0"
CA_BLUE = "2C3C84 283878 34468C 202C60"
CALIFORNIA = [
    D(CA_BLUE, CA_WHITE, "California", "|dmv.ca.gov|SESQUICENTENNIAL - 150 YEARS|", "nlllddd", "C82830", "C82830", nfont="script", w=30, die=CA1, sticker="catop", kind="passenger"),
    D(CA_BLUE, CA_WHITE, "California", "dmv.ca.gov|", "dddllln|dddllld", "C82830", nfont="script", w=8, die=CA1, sticker="catop", kind="passenger-new"),
    D(CA_BLUE, CA_WHITE, "CALIFORNIA", "|The Golden State|", "nlllddd|dddlll|lllddd", "C83838", w=12, die=CA1, sticker="catop", kind="passenger-block"),
    D(CA_BLUE, "F4E8E0 F4F0E8 F0F0F0", "CALIFORNIA", "The Golden State|", "nlllddd", "C83030", w=4, die=CA1, art="casun", sticker="catop", kind="passenger-sun"),
    D(CA_BLUE, CA_WHITE, "California|CALIFORNIA", "dmv.ca.gov|", "nlddddd|dddddln|nlddddd|ddddd*ln", "C82830", nfont="script", w=8, die=CA1, sticker="catop", kind="commercial"),
    D(CA_BLUE, CA_WHITE, "California|CALIFORNIA", "", "nlldddd|4lldddd|1lldddd", "C82830", nfont="script", w=3, die=CA1, sticker="catop", kind="trailer"),
    D("202020 202848", CA_WHITE, "California Perm Trailer|PERM TRAILER", "", "4lldddd|4llddDd", "C82830", nfont="script", w=2, die=CA1, bands=[("topline", 0.22, "C82830")], kind="trailer"),
    D(CA_BLUE, CA_WHITE, "California|CALIFORNIA", "", "(8)dddddd|(4)dddddd|(8)ddddddd|(4)ddddddd|1dddddd|(8)ddddd", "C82830", nfont="script", w=5, die=CA1, kind="exempt"),
    D(CA_BLUE, CA_WHITE, "CA EXEMPT", "", "ddddddd|1dddddd", "C82830", w=2, die=CA1, kind="exempt"),
    D("E8B830 F0C840", "1C2C80 203490", "CALIFORNIA", "|EXEMPT", "(8)dddddd|dddddd|(4)dddddd", w=0.7, die=CA1, kind="exempt"),
    D("E8B830 F0C840 E0B028", "1C2C80 203490 182870", "CALIFORNIA", "", "nlllddd|dddlll|lllddd|ddd lll|nldddd|nlddddd|ldddddd", w=6, die=CA1, sticker="catop", kind="legacy-blue"),
    D("F0B820 E8A818 F0C030", "101010 181410 201C18", "CALIFORNIA", "", "lll ddd|lllddd|ldd ddd|vanity|vanity|vanity|nlllddd", w=5, die=CA1, sticker="catop", kind="legacy-black"),
    D(CA_BLUE + " 202020", CA_WHITE, "California", "dmv.ca.gov|", "vanity|vanity#|vanity#|vanity", "C82830", nfont="script", w=9, die=CA1, sticker="catop", kind="vanity"),
    D("202040 203060", "F0F4F4 B8D8EC A0C8A0", "California", "PROTECT OUR COAST & OCEAN|YOSEMITE NATIONAL PARK|SPAY & NEUTER SAVES LIVES|HONORING VETERANS|UCLA BRUINS", "<vanity|<nlllddd|<dddlll|<vanity#|vanity|<dddlll|<llldDd", "203878 C82830", "C82830", nfont="script", w=5, die=CA1, art="hills", sticker="catop", kind="special"),
    D(CA_BLUE, CA_WHITE, "California|CALIFORNIA", "", "{DLR}dddd{ddl}|{DST}dddd{ddl}|{MFG}dddd{ddl}|{DSM}dddd{dl}|{TRN}dddd{ddl}|{RMF}dddd{dl}|{DLR}ddddd{dl}", "C82830", nfont="script", w=3, die=CA1, kind="dealer"),
    D("E8B830", "1C2C80", "CALIFORNIA", "DEALER {dl}|DISMANTLER {dl}|TRANSPORTER {dl}", "dddd|ddddd", w=0.6, die=CA1, kind="dealer"),
    D(CA_BLUE, CA_WHITE, "California|CALIFORNIA", "", "ddddd{DP}<|<ddddd{DV}|ddddd{DP}#|ddldd{DP}#", "C82830", nfont="script", w=2, die=CA1, kind="disabled"),
    D(CA_BLUE, CA_WHITE, "CAL APPORTIONED|California", "APPORTIONED|", "BPddddd|CPddddd|APddddd|SPddddd|TPddddd|XPddddd|YPddddd|WPddddd", "C82830", w=2.5, die=CA1, kind="apportioned"),
    D(CA_BLUE, CA_WHITE, "CAL|CALIFORNIA", "", "ndldddd|nlddddd|ddlddddd|lddddd|nldddd|nldddd|ddldddd|ndlddd", "C82830 283878", w=4, die=CA1, kind="moto"),
    D("E8B830", "1C2C80", "CAL|CALIFORNIA", "", "ndldddd|nldddd|lddddd", w=0.8, die=CA1, kind="moto"),
    D("202020", "F4F4F4 F8F8F8", "California|CALIFORNIA", "|APPROVED|dmv.ca.gov", "nlllddd|vanity", "606060 202020", nfont="sans", w=1.5, die=CA1, kind="digital"),
    D("F0F0F0", "101010 181818", "California|CALIFORNIA", "", "nlllddd|vanity", "C0C0C0", nfont="sans", w=1.5, die=CA1, kind="digital-dark"),
    D("202020 303030", "FAFAFA F4F4F2", "CALIFORNIA|CALIFORNIA TEMPORARY LICENSE PLATE|TEMPORARY", "EXPIRES dd/dd/dddd|dddddddddd llldd", "lldldd|lldlddd|lldddldd|llddldd|lldddl", "202020", w=5, kind="temporary", die={"font": "sans?"}),
]
STATES["CA"] = CALIFORNIA
