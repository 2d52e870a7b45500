import Testing

@testable import GuerdonServer

/// Events come to whoever asked, the newest state only. FEATURES: I18.
@Suite(.serialized) struct SubscriptionTests {
    private let subscribe = #"{"op":"subscribe","stream":"board","board":"all","top":3}"#

    private func score(_ event: String) -> Int? {
        event.firstMatch(of: /"score":"(\d+)"/).flatMap { Int($0.1) }
    }

    @Test func aBoardIsToldWhenItChangesAndOnlyThen() throws {
        try TestServer.run { server in
            let watcher = try server.client()
            let reply = try watcher.ask(subscribe)
            #expect(reply.contains(#""ok":true"#) && reply.contains(#""subscription":"#))
            let number = reply.firstMatch(of: /"subscription":(\d+)/).map { String($0.1) } ?? ""
            #expect(try watcher.lines(1)[0].hasPrefix(#"{"event":"board","subscription":\#(number),"seq":"#))
            let client = try server.client()
            try client.ask(action("event-1").dropLast().description)
            #expect(score(try watcher.lines(1)[0]) == 1)
            try client.ask(#"{"op":"member.put","member":"m9"}"#)
            #expect(watcher.isSilent(for: 200))
            let ended = try watcher.ask(#"{"op":"unsubscribe","subscription":\#(number)}"#)
            #expect(ended.contains(#""ok":true"#))
            try client.ask(action("event-2").dropLast().description)
            #expect(watcher.isSilent(for: 200))
            #expect(try watcher.ask(#"{"op":"unsubscribe","subscription":\#(number)}"#).contains("bad_request"))
        }
    }

    @Test func manyChangesAreToldInFewEventsAndTheLastOneIsTheNewest() throws {
        try TestServer.run { server in
            let watcher = try server.client()
            try watcher.ask(subscribe)
            let client = try server.client()
            for round in 0..<50 {
                try client.send((0..<20).map { (n: Int) in action("many-\(round)-\(n)") }.joined())
                _ = try client.lines(20)
            }
            var events = 0
            var last = 0
            while last < 1000 {
                last = try score(watcher.lines(1)[0]) ?? last
                events += 1
            }
            #expect(last == 1000)
            #expect(events <= 101)
            #expect(watcher.isSilent(for: 200))
        }
    }

    @Test func aSlowWatcherGetsTheNewestStateWhenItReadsAgain() throws {
        try TestServer.run({ $0.eventsPerSecond = 0 }) { server in
            let setup = try server.client()
            let name = String(repeating: "n", count: 100)
            try setup.send((0..<100).map { (n: Int) in action("slow-\(n)", by: "\(name)\(n)") }.joined())
            _ = try setup.lines(100)
            let watcher = try server.client(receiveBuffer: 32768)
            let subscriptions = 40
            let line = #"{"op":"subscribe","stream":"board","board":"all","top":100}"# + "\n"
            try watcher.send(String(repeating: line, count: subscriptions))
            // More bytes of events than the kernel holds for it: nobody reads them yet.
            let rounds = 60
            for round in 0..<rounds {
                try setup.ask(action("more-\(round)", by: "\(name)0").dropLast().description)
            }
            var told: Set<String> = []
            var events = 0
            while told.count < subscriptions {
                let event = try watcher.lines(1)[0]
                guard event.hasPrefix(#"{"event":"#) else { continue }
                events += 1
                if score(event) == rounds + 1 {
                    told.insert(event.firstMatch(of: /"subscription":(\d+)/).map { String($0.1) } ?? "")
                }
            }
            #expect(events < subscriptions * rounds)
            #expect(watcher.isSilent(for: 200))
        }
    }

    @Test func aBoardThatManyWatchIsEncodedOnce() throws {
        try TestServer.run({ $0.eventsPerSecond = 0 }) { server in
            let watchers = try (0..<20).map { _ in try server.client() }
            for watcher in watchers {
                try watcher.ask(subscribe)
                _ = try watcher.lines(1)
            }
            let client = try server.client()
            let before = server.server.subscriptions.encodings
            for round in 0..<10 {
                try client.ask(action("once-\(round)").dropLast().description)
                for watcher in watchers { #expect(score(try watcher.lines(1)[0]) == round + 1) }
            }
            // One for each change, however many watch; events name their own subscriptions all the same.
            #expect(server.server.subscriptions.encodings - before == 10)
            let pings = server.server.subscriptions.encodings
            for _ in 0..<20 { try client.ask(#"{"op":"ping"}"#) }
            #expect(server.server.subscriptions.encodings == pings)
        }
    }

    @Test func aWatcherIsToldTenTimesASecondAtMost() throws {
        try TestServer.run { server in
            let watcher = try server.client()
            try watcher.ask(subscribe)
            let client = try server.client()
            let start = ContinuousClock.now
            var sent = 0
            while ContinuousClock.now - start < .seconds(1) || sent <= 20 {
                try client.ask(action("rate-\(sent)").dropLast().description)
                sent += 1
            }
            let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
            var events = 0
            var last = 0
            while last < sent {
                last = try score(watcher.lines(1)[0]) ?? last
                events += 1
            }
            // The first one, ten a second and what the edges add.
            #expect((5...tenths + 3).contains(events), "\(events) events in \(tenths) tenths of a second")
            #expect(watcher.isSilent(for: 300))
        }
    }

    @Test func whoComesLaterIsToldAtOnceAndTheOthersInTheirTime() throws {
        try TestServer.run({ $0.eventsPerSecond = 1 }) { server in
            let first = try server.client()
            try first.ask(subscribe)
            _ = try first.lines(1)
            let client = try server.client()
            try client.ask(action("later-1").dropLast().description)
            let second = try server.client()
            let start = ContinuousClock.now
            try second.ask(subscribe)
            #expect(score(try second.lines(1)[0]) == 1)
            #expect(ContinuousClock.now - start < .milliseconds(700))
            #expect(score(try first.lines(1)[0]) == 1)
            try client.ask(action("later-2").dropLast().description)
            #expect(try first.line().map(score) == 2)
            #expect(try second.line().map(score) == 2)
            #expect(first.isSilent(for: 100) && second.isSilent(for: 100))
        }
    }

    @Test("G11: a member's new balance comes by itself") func aMemberIsToldOfWhatHeEarned() throws {
        try TestServer.run { server in
            let client = try server.client()
            try client.ask(action("earned-1").dropLast().description)
            let watcher = try server.client()
            #expect(
                try watcher.ask(#"{"op":"subscribe","stream":"member","member":"m1"}"#).contains(#""ok":true"#))
            let first = try watcher.lines(1)[0]
            #expect(first.hasPrefix(#"{"event":"member""#) && first.contains(#""available":"1""#), "\(first)")
            try client.ask(action("earned-2").dropLast().description)
            let second = try watcher.lines(1)[0]
            #expect(second.contains(#""available":"2""#), "\(second)")
        }
    }

    @Test func subscriptionsAreBounded() throws {
        try TestServer.run({ $0.subscriptions = 3 }) { server in
            let client = try server.client()
            try client.send(
                String(repeating: #"{"id":1,"op":"subscribe","stream":"member","member":"m1"}"# + "\n", count: 1))
            #expect(try client.lines(1)[0].contains("unknown_member"))
            try client.ask(action("bounded").dropLast().description)
            for _ in 0..<3 {
                try client.send(#"{"id":1,"op":"subscribe","stream":"member","member":"m1"}"# + "\n")
                #expect(try client.lines(1)[0].contains(#""ok":true"#))
                #expect(try client.lines(1)[0].hasPrefix(#"{"event":"member""#))
            }
            #expect(try client.ask(subscribe).contains("limit_exceeded"))
            // Another connection has its own.
            #expect(try server.client().ask(subscribe).contains(#""ok":true"#))
        }
    }
}
