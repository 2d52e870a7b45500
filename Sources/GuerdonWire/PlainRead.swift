import CSimdjson
import GuerdonCore

/// A read of the kinds that are asked for by the thousand, or a `ping`; its names lie in ``Requests/names``.
public struct PlainRead: BitwiseCopyable, Equatable, Sendable {
    /// What is asked.
    public enum Operation: UInt8, BitwiseCopyable, Sendable {
        case rank, top, wallet, member, ping
    }

    public let operation: Operation
    /// Places to list: the window of a rank, the limit of a top.
    public let places: UInt16
    fileprivate let start: UInt32
    fileprivate let workspaceCount: UInt8
    fileprivate let boardCount: UInt8
    fileprivate let memberCount: UInt8
    fileprivate let periodCount: UInt8

    /// Stands for "no period given" in ``periodCount``.
    fileprivate static let noPeriod = UInt8.max
    /// Longest period.
    fileprivate static let periodBytes = 32
}

/// The names in a plain read; valid until more is decoded.
public struct PlainReadNames {
    public let workspace: UnsafeRawBufferPointer
    /// Empty where no board is asked about.
    public let board: UnsafeRawBufferPointer
    /// Empty where no member is asked about.
    public let member: UnsafeRawBufferPointer
    /// As written; `nil` is the current one.
    public let period: UnsafeRawBufferPointer?
}

extension Requests {
    /// The plain read of a row.
    public func plain(of row: RequestRow) -> PlainRead { plainReads[Int(row.cold)] }

    /// The names in a plain read.
    public func names(of read: PlainRead) -> PlainReadNames {
        var next = Int(read.start)
        func take(_ count: UInt8) -> UnsafeRawBufferPointer {
            defer { next += Int(count) }
            return UnsafeRawBufferPointer(rebasing: names.bytes[next..<next + Int(count)])
        }
        return PlainReadNames(
            workspace: take(read.workspaceCount), board: take(read.boardCount), member: take(read.memberCount),
            period: read.periodCount == PlainRead.noPeriod ? nil : take(read.periodCount))
    }

    /// A plain read as the request that it is.
    func request(of read: PlainRead) -> Request {
        let names = names(of: read)
        let member = Text(copying: names.member)
        let period = names.period.map { Text(copying: $0) }
        let query: ReadRequest.Query
        switch read.operation {
        case .ping: return .ping
        case .member: query = .member(member)
        case .wallet: query = .wallet(member: member, lots: false)
        case .top:
            query = .boardTop(board: Text(copying: names.board), limit: Int(read.places), period: period)
        case .rank:
            query = .boardRank(
                board: Text(copying: names.board), member: member, around: Int(read.places), period: period)
        }
        return .read(ReadRequest(workspace: Text(copying: names.workspace), query))
    }
}

extension RequestDecoder {
    /// Appends a plain read or `ping`; false when something about it is wrong or rare and must be looked at slowly.
    func appendRead(_ line: PlainLine, _ requests: Requests) -> Bool {
        guard let workspace = line.ownWorkspace, workspace.count < 256 else { return false }
        let operation: PlainRead.Operation
        var places: UInt16 = 0
        switch Int(line.row.pointee.operation) {
        case CSJ_BOARD_RANK:
            operation = .rank
            if line.has(CSJ_AROUND) {
                guard let window = number(line[CSJ_AROUND]) else { return false }
                places = window
            }
        case CSJ_BOARD_TOP:
            operation = .top
            places = 10
            if line.has(CSJ_LIMIT) {
                guard let limit = number(line[CSJ_LIMIT]), limit > 0 else { return false }
                places = limit
            }
        case CSJ_WALLET:
            operation = .wallet
            // Lots tell where they come from, which may have to be looked up in the log.
            if line.has(CSJ_LOTS), line[CSJ_LOTS].first == UInt8(ascii: "t") { return false }
        case CSJ_MEMBER_GET: operation = .member
        case CSJ_PING: operation = .ping
        default: return false
        }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let board = line.has(CSJ_BOARD) ? line.id(CSJ_BOARD) : none,
            let member = line.has(CSJ_MEMBER) ? line.id(CSJ_MEMBER) : none
        else { return false }
        let period = line.has(CSJ_PERIOD) ? line[CSJ_PERIOD] : nil
        if let period, period.count > PlainRead.periodBytes { return false }
        let idStart = requests.ids.count
        guard line.writeID(into: requests.ids) else { return false }
        let read = PlainRead(
            operation: operation, places: places, start: UInt32(requests.names.count),
            workspaceCount: UInt8(workspace.count), boardCount: UInt8(board.count), memberCount: UInt8(member.count),
            periodCount: period.map { UInt8($0.count) } ?? PlainRead.noPeriod)
        requests.names.write(workspace)
        requests.names.write(board)
        requests.names.write(member)
        if let period { requests.names.write(period) }
        requests.appendRow(line, kind: .plainRead, idStart: idStart, cold: UInt32(requests.plainReads.count))
        requests.plainReads.append(read)
        return true
    }

    /// A whole number of places or rows, or 0.
    private func number(_ text: UnsafeRawBufferPointer) -> UInt16? {
        guard let number = DecimalText.parse(text), number.scale == 0, number.coefficient >= 0,
            number.coefficient <= Limits.pageRows.upperBound
        else { return nil }
        return UInt16(number.coefficient)
    }
}
