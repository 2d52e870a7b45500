import Testing

/// Capabilities and complaints of the field, by the ids of the catalogue, on the real decoder, core and encoder.
@Suite struct CapabilityTests {
    private static let time: Int64 = 1_793_527_200_000_000_000

    private static let setUp = [
        ##"{"op":"currency.put","currency":"PTS","kind":"points","color":"#3366ff"}"##,
        ##"{"op":"currency.put","currency":"STARS","kind":"points","color":"#ffaa00"}"##,
        #"{"op":"currency.put","currency":"EUR","kind":"money","scale":2}"#,
        #"{"op":"board.put","board":"monthly","score":{"currency":"PTS"},"period":"month"}"#,
        #"{"op":"plan.put","plan":{"plan":"p","bonuses":["#
            + #"{"bonus":"book","when":"action.title == 'Book'","rewards":[{"to":"performer","currency":"STARS","amount":"1"}]},"#
            + #"{"bonus":"order","when":"action.type == 'order'","rewards":["#
            + #"{"to":"performer","currency":"PTS","amount":"5"},"#
            + #"{"to":"performer","currency":"EUR","rate":"2%"},"#
            + #"{"to":"upline","currency":"EUR","levels":[{"rate":"10%"}]}]}]}}"#,
        #"{"op":"member.put","member":"anna","code":"ANNA"}"#,
        #"{"op":"member.put","member":"ben","referrer":"anna"}"#,
    ]

    /// The replies to some lines behind the set-up.
    private func replies(_ lines: String...) throws -> [String] {
        let harness = Harness(shards: 2)
        return try Array(harness.handle(Self.setUp + lines, at: Self.time).map(\.text).suffix(lines.count))
    }

    private func order(_ id: String, _ fields: String = "") -> String {
        #"{"op":"action","externalId":"\#(id)","performer":"ben","type":"order","value":"30.00","currency":"EUR"\#(fields)}"#
    }

    @Test("I14: an action's title is a field of conditions") func titles() throws {
        let found = try replies(
            order("a", #","title":"Book""#), order("b", #","title":"Pen""#), #"{"op":"wallet","member":"ben"}"#)
        #expect(found[2].contains(#""currency":"STARS","available":"1""#), "\(found[2])")
    }

    @Test("I28 G08: money and each category of points are wallets of their own") func wallets() throws {
        let wallet = try replies(order("a", #","title":"Book""#), #"{"op":"wallet","member":"ben"}"#)[1]
        for (currency, available) in [("PTS", "5"), ("STARS", "1"), ("EUR", "0.60")] {
            #expect(wallet.contains(#""currency":"\#(currency)","available":"\#(available)""#), "\(wallet)")
        }
    }

    @Test("O04: a commission names the referral who brought it, and his order") func payPerReferral() throws {
        let statement = try replies(order("a"), #"{"op":"statement","member":"anna"}"#)[1]
        #expect(statement.contains(#""source":{"member":"ben","externalId":"a"}"#), "\(statement)")
        #expect(statement.contains(#""amount":"3.00""#) && statement.contains(#""level":1"#), "\(statement)")
    }

    @Test("O08: a member's code is told with the member") func code() throws {
        let member = try replies(#"{"op":"member.get","member":"anna"}"#)[0]
        #expect(member.contains(#""referralCode":"ANNA""#), "\(member)")
    }

    @Test("W18: a fixed amount is paid once an order, whatever it is worth; a rate by its worth") func flatAmounts()
        throws
    {
        let cheap = order("b").replacing("30.00", with: "3.00")
        let wallet = try replies(order("a"), cheap, #"{"op":"wallet","member":"ben"}"#)[2]
        #expect(wallet.contains(#""currency":"PTS","available":"10""#), "\(wallet)")
        #expect(wallet.contains(#""currency":"EUR","available":"0.66""#), "\(wallet)")
    }

    @Test("W28: what happened last month counts for last month, and shows both times") func backdated() throws {
        let at = #","at":"2026-10-30T12:00:00Z""#
        let found = try replies(
            order("a", at), #"{"op":"board.top","board":"monthly","period":"2026-10"}"#,
            #"{"op":"board.top","board":"monthly"}"#, #"{"op":"statement","member":"ben","currency":"PTS"}"#)
        #expect(found[1].contains(#""member":"ben","score":"5""#), "\(found[1])")
        #expect(found[2].contains(#""entries":[]"#), "\(found[2])")
        #expect(found[3].contains(#""at":"2026-10-30T12:00:00Z","recorded":"2026-11-01T"#), "\(found[3])")
    }
}
