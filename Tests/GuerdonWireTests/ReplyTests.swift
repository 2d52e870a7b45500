import Testing

@testable import GuerdonCore
@testable import GuerdonWire

private struct Names: NameSource {
    let member = UnsafeRawBufferPointer(start: ("m\"1" as StaticString).utf8Start, count: 3)
    func memberID(workspace: Int, member: UInt32) -> UnsafeRawBufferPointer { self.member }
    func currencyCode(workspace: Int, currency: Int) -> Text { currency == 0 ? "PTS" : "EUR" }
    func currencyScale(workspace: Int, currency: Int) -> Int { currency == 0 ? 0 : 2 }
    func planID(workspace: Int, plan: UInt32) -> Text { "loyalty" }
    func bonusID(workspace: Int, plan: UInt32, bonus: Int) -> Text { bonus == 0 ? "points" : "referral" }
}

/// What an encoder writes for a request with this id.
private func reply(id: String = "7", _ body: (ReplyEncoder, UnsafeRawBufferPointer) -> Void) -> String {
    let out = ByteSink()
    defer { out.deallocate() }
    Array(id.utf8).withUnsafeBytes { body(ReplyEncoder(out), $0) }
    let text = String(decoding: out.bytes, as: UTF8.self)
    for line in text.split(separator: "\n") { #expect(throws: Never.self) { try StrictJSON(Array(line.utf8)) } }
    return text
}

private func batch(_ outcomes: [CommandOutcome], extras: [CommandExtra] = [], lines: [RewardLine] = []) -> CommandBatch
{
    let batch = CommandBatch()
    batch.outcomes.append(contentsOf: outcomes)
    batch.extras = extras
    batch.lines.append(contentsOf: lines)
    batch.count = outcomes.count
    return batch
}

private func line(
    _ command: UInt32, currency: UInt16, _ amount: Int64, bonus: UInt16 = 0, level: UInt8 = 0, shortfall: Int64 = 0
) -> RewardLine {
    RewardLine(
        command: command, workspace: 0, currency: currency, member: 3, plan: 0, bonus: bonus, level: level,
        amount: amount,
        shortfall: shortfall)
}

@Suite struct ReplyTests {
    private func replies(_ batch: CommandBatch, detail: Bool, number: UInt64? = nil) -> String {
        reply { encoder, id in
            var line = 0
            for i in 0..<batch.count {
                encoder.outcome(
                    id: id, of: i, in: BatchResults(batch), detail: detail, line: &line, number: number,
                    names: Names())
            }
        }
    }

    @Test func rewardsThatShareTheirTextsSayTheSame() {
        // More kinds of rewards than are kept at hand, each several times.
        var lines: [RewardLine] = []
        for i in 0..<2000 as Range<UInt32> {
            lines.append(
                line(
                    i / 4, currency: UInt16(i * 7 % 2), Int64(i) - 1000, bonus: UInt16(i * 5 % 2),
                    level: UInt8(i * 31 % 101), shortfall: i % 9 == 0 ? 5 : 0))
        }
        let results = BatchResults(
            batch((0..<500).map { CommandOutcome(sequence: $0, hasRewards: true) }, lines: lines))
        func text(_ encoder: (ByteSink) -> ReplyEncoder) -> String {
            let out = ByteSink()
            defer { out.deallocate() }
            var line = 0
            for i in 0..<500 {
                encoder(out).outcome(
                    id: UnsafeRawBufferPointer(start: nil, count: 0), of: i, in: results, detail: true, line: &line,
                    names: Names())
            }
            return String(decoding: out.bytes, as: UTF8.self)
        }
        let texts = RewardTexts()
        let shared = text { ReplyEncoder($0, texts: texts) }
        #expect(shared == text { ReplyEncoder($0) })
        texts.forget()
        #expect(shared == text { ReplyEncoder($0, texts: texts) })
        #expect(shared.contains("\"level\":100"))
    }

    @Test func plainReplies() {
        #expect(reply { $0.done(id: $1, sequence: 1234) } == "{\"id\":7,\"ok\":true,\"seq\":1234}\n")
        #expect(reply(id: "") { $0.done(id: $1, sequence: 0) } == "{\"ok\":true,\"seq\":0}\n")
        #expect(
            reply(id: "\"a\\n\"") { $0.done(id: $1, sequence: .max) }
                == "{\"id\":\"a\\n\",\"ok\":true,\"seq\":18446744073709551615}\n")
        #expect(
            reply { $0.duplicate(id: $1, sequence: 90) } == "{\"id\":7,\"ok\":true,\"seq\":90,\"duplicate\":true}\n")
        #expect(reply { encoder, _ in encoder.acknowledged(count: 12, sequence: 90) } == "{\"ack\":12,\"seq\":90}\n")
        let hello = Hello(token: nil, workspace: "shop", ack: .cumulative)
        #expect(
            reply { $0.hello(id: $1, sequence: 5, hello) }
                == "{\"id\":7,\"ok\":true,\"seq\":5,\"workspace\":\"shop\",\"ack\":\"cumulative\"}\n")
        #expect(
            reply { $0.subscribed(id: $1, sequence: 5, subscription: 3) }
                == "{\"id\":7,\"ok\":true,\"seq\":5,\"subscription\":3}\n")
    }

    @Test func numbersOfEveryLengthAreWritten() {
        var numbers: [UInt64] = [0, .max, .max - 1]
        var power: UInt64 = 1
        for _ in 0..<20 {
            numbers += [power - 1, power, power + 1, power / 3, power / 7 * 5]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for number in numbers {
            let out = ByteSink()
            defer { out.deallocate() }
            ReplyEncoder(out).done(id: UnsafeRawBufferPointer(start: nil, count: 0), sequence: number)
            #expect(String(decoding: out.bytes, as: UTF8.self) == "{\"ok\":true,\"seq\":\(number)}\n")
        }
    }

    @Test func refusals() {
        let refusal = Refusal(.unknownMember, field: "performer", "No \"m\u{1}9\"\n.")
        #expect(
            reply { $0.refusal(id: $1, refusal) }
                == #"{"id":7,"ok":false,"error":{"code":"unknown_member","message":"No \"m\u00019\"\n.","field":"performer"}}"#
                + "\n")
        #expect(
            reply(id: "") { $0.refusal(id: $1, Refusal(.badJson, "x"), number: 12) }
                == #"{"n":12,"ok":false,"error":{"code":"bad_json","message":"x"}}"# + "\n")
    }

    @Test(arguments: RefusalCode.allCases) func everyCodeHasASentence(_ code: RefusalCode) {
        guard code != .none else { return }
        let text = replies(batch([CommandOutcome(sequence: 9, code: code)]), detail: true, number: 4)
        #expect(text.hasPrefix("{\"id\":7,\"n\":4,\"ok\":false,\"error\":{\"code\":\"\(code.name)\",\"message\":\""))
        #expect(text.count > 70)
    }

    @Test func outcomesOfABatch() {
        let all = batch(
            [
                CommandOutcome(sequence: 90, hasRewards: true), CommandOutcome(sequence: 90, isDuplicate: true),
                CommandOutcome(sequence: 92, code: .cycle, extra: 0), CommandOutcome(sequence: 93, extra: 1),
                CommandOutcome(sequence: 94, extra: 2), CommandOutcome(sequence: 95, extra: 3),
                CommandOutcome(sequence: 96, hasRewards: true), CommandOutcome(sequence: 97),
            ],
            extras: [
                .refusal(Refusal(.cycle, field: "referrer", "A loop.")), .member(created: true, referralCode: "REF-1"),
                .member(created: false, referralCode: nil), .plan(id: "loyalty", version: 2),
            ],
            lines: [
                line(0, currency: 0, 12), line(0, currency: 1, 62, bonus: 1, level: 1),
                line(6, currency: 0, -5, shortfall: 2), line(6, currency: 1, 0, bonus: 1, level: 2, shortfall: 7),
            ])
        let common = """
            {"id":7,"ok":true,"seq":90,"duplicate":true}
            {"id":7,"ok":false,"error":{"code":"cycle","message":"A loop.","field":"referrer"}}
            {"id":7,"ok":true,"seq":93,"created":true,"referralCode":"REF-1"}
            {"id":7,"ok":true,"seq":94,"created":false,"referralCode":null}
            {"id":7,"ok":true,"seq":95,"plan":"loyalty","version":2}\n
            """
        #expect(
            replies(all, detail: false) == "{\"id\":7,\"ok\":true,\"seq\":90}\n" + common
                + "{\"id\":7,\"ok\":true,\"seq\":96}\n{\"id\":7,\"ok\":true,\"seq\":97}\n")
        #expect(
            replies(all, detail: true)
                == #"{"id":7,"ok":true,"seq":90,"rewards":[{"member":"m\"1","currency":"PTS","amount":"12","plan":"loyalty","bonus":"points","level":0},{"member":"m\"1","currency":"EUR","amount":"0.62","plan":"loyalty","bonus":"referral","level":1}]}"#
                + "\n" + common
                + #"{"id":7,"ok":true,"seq":96,"rewards":[{"member":"m\"1","currency":"PTS","amount":"-5","plan":"loyalty","bonus":"points","level":0,"shortfall":"2"},{"member":"m\"1","currency":"EUR","amount":"0.00","plan":"loyalty","bonus":"referral","level":2,"shortfall":"0.07"}]}"#
                + "\n{\"id\":7,\"ok\":true,\"seq\":97}\n")
    }

    @Test func memberReply() {
        var view = MemberAnswer(
            member: "m2", name: "Ada", email: nil, phone: nil, birthday: "1990-02-28", registered: nil, kind: nil,
            tags: ["vip"],
            attributes: [
                AttributeEntry(key: "a\"", value: .list([.int(1), .bool(true), .null])),
                AttributeEntry(key: "d", value: .decimal(DecimalNumber(coefficient: -150, scale: 2))),
                AttributeEntry(key: "m", value: .map([AttributeEntry(key: "x", value: .string("y"))])),
            ], referrer: nil, referralCode: "REF-1")
        #expect(
            reply { $0.member(id: $1, sequence: 90, view) }
                == #"{"id":7,"ok":true,"seq":90,"member":"m2","name":"Ada","email":null,"phone":null,"birthday":"1990-02-28","registered":null,"kind":null,"tags":["vip"],"attributes":{"a\"":[1,true,null],"d":-1.50,"m":{"x":"y"}},"referrer":null,"referralCode":"REF-1"}"#
                + "\n")
        view.tags = []
        view.attributes = []
        #expect(reply { $0.member(id: $1, sequence: 90, view) }.contains(#""tags":[],"attributes":{},"referrer":null"#))
    }

    @Test func walletReply() {
        let view = WalletAnswer(
            member: "m2",
            balances: [
                WalletAnswer.Balance(
                    currency: "PTS", scale: 0, available: 112, debt: 0,
                    lots: [
                        WalletAnswer.Lot(amount: 100, expires: 1_796_119_200_000_000_000, source: "signup-2"),
                        WalletAnswer.Lot(amount: 12, expires: nil, source: nil),
                    ]), WalletAnswer.Balance(currency: "EUR", scale: 2, available: 0, debt: 5, lots: nil),
            ])
        #expect(
            reply(id: "") { $0.wallet(id: $1, sequence: 90, view) }
                == #"{"ok":true,"seq":90,"member":"m2","balances":[{"currency":"PTS","available":"112","pending":"0","reserved":"0","lots":[{"amount":"100","expires":"2026-12-01T10:00:00Z","source":"signup-2"},{"amount":"12","expires":null,"source":null}]},{"currency":"EUR","available":"0.00","pending":"0.00","reserved":"0.00","debt":"0.05"}]}"#
                + "\n")
    }

    @Test func statementReply() {
        let reward = StatementAnswer.Entry(
            sequence: 88, at: 1_793_527_200_000_000_000, recorded: 1_793_527_201_500_000_000, currency: "PTS", scale: 0,
            amount: 12, balance: 112, kind: .reward, plan: "loyalty", version: 1, bonus: "points", level: 0,
            sourceMember: "m2", sourceExternalId: "order-1", sourceOf: nil, description: nil)
        var reversal = reward
        reversal.kind = .reversal
        reversal.amount = -5
        reversal.sourceExternalId = "return-1"
        reversal.sourceOf = "order-1"
        var expiry = reward
        (expiry.kind, expiry.plan, expiry.version, expiry.bonus, expiry.level) = (.expiry, nil, nil, nil, nil)
        (expiry.sourceMember, expiry.sourceExternalId) = (nil, nil)
        let text = reply(id: "") {
            $0.statement(id: $1, sequence: 90, StatementAnswer(entries: [reward, reversal, expiry], next: "0:5:1:7"))
        }
        #expect(
            text
                == #"{"ok":true,"seq":90,"entries":[{"seq":88,"at":"2026-11-01T10:00:00Z","recorded":"2026-11-01T10:00:01.5Z","currency":"PTS","amount":"12","balance":"112","kind":"reward","plan":"loyalty","version":1,"bonus":"points","level":0,"source":{"member":"m2","externalId":"order-1"},"description":null},"#
                + #"{"seq":88,"at":"2026-11-01T10:00:00Z","recorded":"2026-11-01T10:00:01.5Z","currency":"PTS","amount":"-5","balance":"112","kind":"reversal","plan":"loyalty","version":1,"bonus":"points","level":0,"source":{"member":"m2","externalId":"return-1","of":"order-1"},"description":null},"#
                + #"{"seq":88,"at":"2026-11-01T10:00:00Z","recorded":"2026-11-01T10:00:01.5Z","currency":"PTS","amount":"12","balance":"112","kind":"expiry","plan":null,"version":null,"bonus":null,"level":null,"source":null,"description":null}],"next":"0:5:1:7"}"#
                + "\n")
        #expect(
            reply { $0.statement(id: $1, sequence: 1, StatementAnswer(entries: [], next: nil)) }
                == "{\"id\":7,\"ok\":true,\"seq\":1,\"entries\":[],\"next\":null}\n")
    }

    @Test func boardReplies() {
        var view = BoardAnswer(
            board: "monthly", period: "2026-11", ends: (1_796_079_600_000_000_000, 3600), total: 4213, scale: 0,
            entries: [BoardAnswer.Entry(rank: 1, member: "m9", score: 5120)], own: nil)
        let entries = #""entries":[{"rank":1,"member":"m9","score":"5120"}]"#
        #expect(
            reply(id: "") { $0.board(id: $1, sequence: 90, view) }
                == #"{"ok":true,"seq":90,"board":"monthly","period":"2026-11","ends":"2026-12-01T00:00:00+01:00","total":4213,\#(entries)}"#
                + "\n")
        #expect(
            reply { encoder, _ in EventLine.board(view).write(subscription: 3, sequence: 95, to: encoder.out) }
                == #"{"event":"board","subscription":3,"seq":95,"board":"monthly","period":"2026-11",\#(entries)}"#
                + "\n")
        view.ends = (0, 0)
        #expect(reply { $0.board(id: $1, sequence: 90, view) }.contains(#""ends":"1970-01-01T00:00:00Z""#))
        view.ends = nil
        #expect(reply { $0.board(id: $1, sequence: 90, view) }.contains(#""ends":null"#))
        view.own = (17, 112)
        #expect(
            reply(id: "") { $0.board(id: $1, sequence: 90, view) }
                == #"{"ok":true,"seq":90,"rank":17,"score":"112",\#(entries)}"# + "\n")
        view.own = (nil, 0)
        view.entries = []
        view.scale = 2
        #expect(
            reply(id: "") { $0.board(id: $1, sequence: 90, view) }
                == #"{"ok":true,"seq":90,"rank":null,"score":"0.00","entries":[]}"# + "\n")
    }

    @Test func chainAndStatsReplies() {
        let chain = ChainAnswer(member: "m2", entries: [ChainAnswer.Entry(level: 1, member: "m1")])
        #expect(
            reply(id: "") { $0.chain(id: $1, sequence: 90, chain) }
                == #"{"ok":true,"seq":90,"entries":[{"level":1,"member":"m1"}]}"# + "\n")
        #expect(
            reply { $0.stats(id: $1, sequence: 90, [("members", 5), ("actions", -1)]) }
                == "{\"id\":7,\"ok\":true,\"seq\":90,\"members\":5,\"actions\":-1}\n")
        #expect(
            reply { encoder, _ in
                EventLine.stats([("members", 5)]).write(subscription: 1, sequence: 2, to: encoder.out)
            }
                == "{\"event\":\"stats\",\"subscription\":1,\"seq\":2,\"members\":5}\n")
    }

    @Test func explainReply() {
        let command = ActionCommand(
            workspace: "main", externalId: "order-1", performer: "m2", type: "purchase",
            value: DecimalNumber(coefficient: 1234, scale: 2), currency: "EUR")
        let view = ExplainAnswer(
            sequence: 88, command: .action(command), recorded: 0,
            rewards: [
                ExplainAnswer.Line(
                    member: "m2", currency: "PTS", scale: 0, amount: 12, plan: "loyalty", version: 1, bonus: "points",
                    level: 0)
            ], failures: [ExplainAnswer.Failure(plan: "loyalty", version: 1, bonus: "x", level: 0)], left: 734,
            valueScale: 2)
        #expect(
            reply(id: "") { $0.explain(id: $1, sequence: 90, view) }
                == #"{"ok":true,"seq":90,"command":{"seq":88,"time":"1970-01-01T00:00:00Z","op":"action","workspace":"main","externalId":"order-1","performer":"m2","type":"purchase","value":"12.34","currency":"EUR"},"rewards":[{"member":"m2","currency":"PTS","amount":"12","plan":"loyalty","version":1,"bonus":"points","level":0}],"failed":[{"plan":"loyalty","version":1,"bonus":"x","level":0}],"left":"7.34"}"#
                + "\n")
    }

    @Test func amountsAtTheEdges() {
        let out = ByteSink()
        defer { out.deallocate() }
        var writer = JSONWriter(out)
        writer.beginList()
        for (units, scale) in [(Int64.min, 0), (.max, 0), (.min, 18), (.max, 6), (0, 2), (-5, 2), (5, 6)]
            as [(Int64, Int)]
        {
            writer.amount(units, scale: scale)
        }
        for number in [Int64.min, .max, 0, -1, 9, 10, 99, 100, 101] { writer.number(number) }
        writer.endList()
        #expect(
            String(decoding: out.bytes, as: UTF8.self)
                == #"["-9223372036854775808","9223372036854775807","-9.223372036854775808","9223372036854.775807","0.00","-0.05","0.000005",-9223372036854775808,9223372036854775807,0,-1,9,10,99,100,101]"#
        )
    }

    @Test func everyStringComesBack() throws {
        let out = ByteSink()
        defer { out.deallocate() }
        let texts = (0..<0x300).map { Text(String(UnicodeScalar($0) ?? " ")) } + ["", "a\"b\\c/d", "😀 é\n\r\t"]
        var writer = JSONWriter(out)
        writer.beginList()
        for text in texts { writer.string(text) }
        writer.endList()
        #expect(try StrictJSON(Array(out.bytes)) == .list(texts.map { .string($0.bytes) }))
    }
}
