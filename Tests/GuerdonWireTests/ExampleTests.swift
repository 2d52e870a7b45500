import GuerdonCore
import GuerdonWire
import Testing

@Suite struct ExampleTests {
    @Test func commandsOfTheProtocolDecode() {
        let lines = [
            #"{"op":"workspace.put","workspace":"shop","timeZone":"Europe/Warsaw","weekStart":"monday","referralCode":"REF-{seq}","autoCreateMembers":false}"#,
            ##"{"op":"currency.put","currency":"PTS","kind":"points","scale":0,"rounding":"halfUp","color":"#3366ff","lifetime":"P365D"}"##,
            #"{"op":"currency.put","currency":"EUR","kind":"money","scale":2}"#,
            #"{"op":"account.put","account":"acme","legalEntity":"ACME Ltd","currency":"PTS","budget":"100000"}"#,
            #"{"op":"member.put","member":"m2","name":"Ada","email":"a@x.pl","phone":"+48 600 100 200","birthday":"1990-02-28","registered":"2026-01-05","kind":"ambassador","tags":["vip"],"attributes":{"region":"north","age":36},"referrer":"m1"}"#,
            #"{"op":"member.put","member":"m3","referralCode":"REF-2"}"#,
            #"{"op":"plan.end","plan":"loyalty","at":"2026-12-31T00:00:00Z"}"#,
            #"{"op":"board.put","board":"monthly","score":{"currency":"PTS"},"period":"month","ties":"competition"}"#,
            #"{"op":"action","externalId":"order-1","performer":"m2","type":"purchase","value":"12.34","currency":"EUR","at":"2026-11-01T10:00:00Z","title":"Order 1","attributes":{"channel":"web"}}"#,
            #"{"op":"action","externalId":"course-9","performer":"m2","type":"course.completed","at":"2026-11-01T10:00:00Z"}"#,
            #"{"op":"reverse","externalId":"return-1","of":"order-1","value":"5.00","at":"2026-11-05T09:00:00Z"}"#,
            #"{"op":"adjust","externalId":"gift-1","member":"m2","currency":"PTS","amount":"50","reason":"goodwill"}"#,
            #"{"op":"redeem","externalId":"spend-1","member":"m2","currency":"PTS","amount":"30","reason":"mug"}"#,
        ]
        var member = MemberPut(workspace: "main", member: "m2")
        member.name = .set("Ada")
        member.email = .set("a@x.pl")
        member.phone = .set("+48 600 100 200")
        member.birthday = .set("1990-02-28")
        member.registered = .set("2026-01-05")
        member.kind = .set("ambassador")
        member.tags = ["vip"]
        member.attributes = [
            AttributeEntry(key: "age", value: .int(36)), AttributeEntry(key: "region", value: .string("north")),
        ]
        member.referrer = .set("m1")
        var invited = MemberPut(workspace: "main", member: "m3")
        invited.referralCode = "REF-2"
        let at: Int64 = 1_793_527_200_000_000_000
        let expected: [Command] = [
            .workspacePut(
                WorkspacePut(
                    workspace: "shop", timeZone: ZoneTables.table(named: "Europe/Warsaw"), weekStart: .monday,
                    referralCode: .set("REF-{seq}"), autoCreateMembers: false)),
            .currencyPut(
                CurrencyPut(
                    workspace: "main", currency: "PTS", kind: .points, scale: 0, rounding: .halfUp,
                    color: .set("#3366ff"),
                    lifetime: .set(CalendarDuration(days: 365)))),
            .currencyPut(CurrencyPut(workspace: "main", currency: "EUR", kind: .money, scale: 2)),
            .accountPut(
                AccountPut(
                    workspace: "main", account: "acme", legalEntity: .set("ACME Ltd"), currency: "PTS",
                    budget: .set(DecimalNumber(coefficient: 100_000)))),
            .memberPut(member), .memberPut(invited),
            .planEnd(PlanEnd(workspace: "main", plan: "loyalty", at: 1_798_675_200_000_000_000)),
            .boardPut(
                BoardPut(workspace: "main", board: "monthly", currency: "PTS", period: .month, ties: .competition)),
            .action(
                ActionCommand(
                    workspace: "main", externalId: "order-1", performer: "m2", type: "purchase",
                    value: DecimalNumber(coefficient: 1234, scale: 2), currency: "EUR", at: at, title: "Order 1",
                    attributes: [AttributeEntry(key: "channel", value: .string("web"))])),
            .action(
                ActionCommand(
                    workspace: "main", externalId: "course-9", performer: "m2", type: "course.completed", at: at)),
            .reverse(
                ReverseCommand(
                    workspace: "main", externalId: "return-1", of: "order-1",
                    value: DecimalNumber(coefficient: 500, scale: 2),
                    at: 1_793_869_200_000_000_000)),
            .adjust(
                WalletCommand(
                    workspace: "main", externalId: "gift-1", member: "m2", currency: "PTS",
                    amount: DecimalNumber(coefficient: 50), reason: "goodwill")),
            .redeem(
                WalletCommand(
                    workspace: "main", externalId: "spend-1", member: "m2", currency: "PTS",
                    amount: DecimalNumber(coefficient: 30), reason: "mug")),
        ]
        for (line, command) in zip(lines, expected) { #expect(decode(line) == .command(command)) }
    }

    @Test func planOfTheProtocolDecodes() {
        let line = #"""
            {"op":"plan.put","plan":{"plan":"loyalty","title":"Shop loyalty","schedule":{"kind":"instant"},"funding":"acme","starts":"2026-01-01","ends":null,
             "audience":"member.kind != 'staff'",
             "bonuses":[
              {"bonus":"points","when":"action.type == 'purchase' && action.value >= decimal('1')",
               "rewards":[{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}]},
              {"bonus":"referral","when":"action.type == 'purchase'",
               "rewards":[{"to":"upline","currency":"EUR","levels":[{"rate":"5%"},{"rate":"3%"},{"amount":"0.10"}]}]},
              {"bonus":"welcome","when":"action.type == 'signup'",
               "rewards":[{"to":"performer","currency":"PTS","amount":"100","lifetime":"P30D","description":"Welcome"},
                          {"to":"performer","tag":"welcomed"}]}]}}
            """#
        let plan = PlanDefinition(
            plan: "loyalty", title: "Shop loyalty", funding: "acme", starts: .date(20_454),
            audience: "member.kind != 'staff'",
            bonuses: [
                BonusDefinition(
                    bonus: "points", when: "action.type == 'purchase' && action.value >= decimal('1')",
                    rewards: [
                        RewardDefinition(
                            gift: .performer(
                                currency: "PTS",
                                .perUnit(
                                    per: DecimalNumber(coefficient: 100, scale: 2),
                                    amount: DecimalNumber(coefficient: 1))))
                    ]),
                BonusDefinition(
                    bonus: "referral", when: "action.type == 'purchase'",
                    rewards: [
                        RewardDefinition(
                            gift: .upline(
                                currency: "EUR",
                                levels: [
                                    .rate(DecimalNumber(coefficient: 5, scale: 2)),
                                    .rate(DecimalNumber(coefficient: 3, scale: 2)),
                                    .fixed(DecimalNumber(coefficient: 10, scale: 2)),
                                ]))
                    ]),
                BonusDefinition(
                    bonus: "welcome", when: "action.type == 'signup'",
                    rewards: [
                        RewardDefinition(
                            gift: .performer(currency: "PTS", .fixed(DecimalNumber(coefficient: 100))),
                            lifetime: CalendarDuration(days: 30), description: "Welcome"),
                        RewardDefinition(gift: .tag("welcomed")),
                    ]),
            ])
        let joined = line.split(separator: "\n").joined(separator: " ")
        #expect(decode(joined) == .command(.planPut(PlanPut(workspace: "main", plan: plan))))
    }

    @Test(
        arguments: [
            (#"{"op":"member.get","member":"m2"}"#, .member("m2")),
            (#"{"op":"wallet","member":"m2","lots":true}"#, .wallet(member: "m2", lots: true)),
            (#"{"op":"wallet","member":"m2"}"#, .wallet(member: "m2", lots: false)),
            (
                #"{"op":"statement","member":"m2","currency":"PTS","limit":50,"before":null}"#,
                .statement(member: "m2", currency: "PTS", limit: 50, before: nil)
            ),
            (
                #"{"op":"statement","member":"m2","before":"0:5:1:7"}"#,
                .statement(member: "m2", currency: nil, limit: 50, before: "0:5:1:7")
            ),
            (#"{"op":"upline","member":"m2","levels":10}"#, .upline(member: "m2", levels: 10)),
            (#"{"op":"upline","member":"m2"}"#, .upline(member: "m2", levels: 10)),
            (
                #"{"op":"downline","member":"m2","levels":2,"limit":100}"#,
                .downline(member: "m2", levels: 2, limit: 100)
            ),
            (#"{"op":"downline","member":"m2"}"#, .downline(member: "m2", levels: 1, limit: 100)),
            (
                #"{"op":"board.top","board":"monthly","limit":10,"period":"2026-11"}"#,
                .boardTop(board: "monthly", limit: 10, period: "2026-11")
            ),
            (#"{"op":"board.top","board":"monthly"}"#, .boardTop(board: "monthly", limit: 10, period: nil)),
            (
                #"{"op":"board.rank","board":"monthly","member":"m2","around":5}"#,
                .boardRank(board: "monthly", member: "m2", around: 5, period: nil)
            ),
            (#"{"op":"explain","externalId":"order-1"}"#, .explain(externalId: "order-1")),
            (#"{"op":"stats"}"#, .stats),
        ] as [(String, ReadRequest.Query)]) func readsOfTheProtocolDecode(_ line: String, _ query: ReadRequest.Query)
    {
        #expect(decode(line) == .request(.read(ReadRequest(workspace: "main", query))))
    }

    @Test(
        arguments: [
            (
                #"{"op":"hello","token":"…","workspace":"shop","ack":"detail"}"#,
                .hello(Hello(token: "…", workspace: "shop", ack: .detail))
            ),
            (#"{"op":"hello"}"#, .hello(Hello(token: nil, workspace: "main", ack: .each))),
            (
                #"{"op":"subscribe","stream":"board","board":"monthly","top":10}"#,
                .subscribe(Subscription(workspace: "main", .board("monthly", top: 10, period: nil)))
            ),
            (
                #"{"op":"subscribe","stream":"member","member":"m2","workspace":"shop"}"#,
                .subscribe(Subscription(workspace: "shop", .member("m2")))
            ),
            (#"{"op":"subscribe","stream":"stats"}"#, .subscribe(Subscription(workspace: "main", .stats))),
            (#"{"op":"unsubscribe","subscription":3}"#, .unsubscribe(3)), (#"{"op":"ping"}"#, .ping),
        ] as [(String, Request)]) func controlOfTheProtocolDecodes(_ line: String, _ request: Request)
    {
        #expect(decode(line) == .request(request))
    }

    @Test func absentStaysNullClears() {
        var put = MemberPut(workspace: "main", member: "m")
        #expect(decode(#"{"op":"member.put","member":"m"}"#) == .command(.memberPut(put)))
        put.name = .clear
        put.birthday = .clear
        put.tags = []
        put.clearAttributes = true
        put.referrer = .clear
        put.code = .clear
        let line =
            #"{"op":"member.put","member":"m","name":null,"birthday":null,"tags":null,"attributes":null,"referrer":null,"code":null,"referralCode":null}"#
        #expect(decode(line) == .command(.memberPut(put)))
        #expect(
            decode(#"{"op":"currency.put","currency":"P","color":null,"lifetime":null,"kind":null,"scale":null}"#)
                == .command(
                    .currencyPut(CurrencyPut(workspace: "main", currency: "P", color: .clear, lifetime: .clear))))
    }

    @Test func attributesAreOrderedAndNullsOfActionsDropped() {
        let line = action(["attributes": #"{"b":2,"a":1.50,"ä":"x","B":null,"":null}"#])
        #expect(refusal(line)?.field == "attributes.")
        guard case .command(.action(let command)) = decode(action(["attributes": #"{"b":2,"a":1.50,"ä":[],"B":null}"#]))
        else {
            Issue.record("refused")
            return
        }
        #expect(
            command.attributes == [
                AttributeEntry(key: "a", value: .decimal(DecimalNumber(coefficient: 150, scale: 2))),
                AttributeEntry(key: "b", value: .int(2)), AttributeEntry(key: "ä", value: .list([])),
            ])
        guard
            case .command(.memberPut(let put)) = decode(
                #"{"op":"member.put","member":"m","attributes":{"z":null,"a":true}}"#)
        else {
            Issue.record("refused")
            return
        }
        #expect(
            put.attributes == [AttributeEntry(key: "a", value: .bool(true)), AttributeEntry(key: "z", value: .null)])
    }

    @Test func tagsAreASet() {
        guard case .command(.memberPut(let put)) = decode(#"{"op":"member.put","member":"m","tags":["b","a","b","B"]}"#)
        else {
            Issue.record("refused")
            return
        }
        #expect(put.tags == ["B", "a", "b"])
    }
}
