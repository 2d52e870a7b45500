import Glibc

/// Standard output or standard error: whether a person reads it, and whether colour is welcome.
struct Terminal: Sendable {
    private let descriptor: CInt
    /// Whether a person reads it.
    let isInteractive: Bool
    private let usesColor: Bool

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let error = Terminal(descriptor: STDERR_FILENO)

    private init(descriptor: CInt) {
        self.descriptor = descriptor
        isInteractive = isatty(descriptor) == 1
        let refusesColor = environmentVariable("NO_COLOR").map { !$0.isEmpty } ?? false
        usesColor = isInteractive && !refusesColor && environmentVariable("TERM") != "dumb"
    }

    enum Style: String {
        case bold = "1"
        case red = "31"
        case green = "32"
    }

    /// The text in a style, where colour is welcome.
    func styled(_ text: String, _ style: Style) -> String {
        usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Writes a line.
    func line(_ text: String) { write(text + "\n") }

    /// Writes text as it is. A reader that has gone away, as in `guerdon wal cat | head`, ends the process quietly.
    func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes bytes as they are.
    func write(_ all: [UInt8]) {
        var bytes = all[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE { exit(0) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// The width in columns; 80 where it is not known.
    var columns: Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}

/// One line on standard error that shows how far a long piece of work is; nothing where nobody watches.
final class ProgressBar {
    private let title: String
    private let terminal = Terminal.error
    private var drawnAt: Int64 = 0
    private var isDrawn = false

    /// Names the work.
    init(_ title: String) { self.title = title }

    deinit { clear() }

    /// Shows the share that is done (0 to 1, nil where it is not known) and a note, at most ten times a second.
    func show(fraction: Double?, note: String) {
        guard terminal.isInteractive else { return }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        guard now - drawnAt >= 100 || fraction == 1 else { return }
        drawnAt = now
        isDrawn = true
        terminal.write(
            "\r\u{1B}[K" + Self.text(title: title, fraction: fraction, note: note, columns: terminal.columns))
    }

    /// Removes the line.
    func clear() {
        guard isDrawn else { return }
        terminal.write("\r\u{1B}[K")
        isDrawn = false
    }

    /// The line as it looks: title, bar, percentage, note.
    static func text(title: String, fraction: Double?, note: String, columns: Int) -> String {
        guard let fraction else { return "\(title)  \(note)" }
        let share = min(max(fraction, 0), 1)
        let width = min(30, max(8, columns - title.count - note.count - 12))
        let full = Int(share * Double(width))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        return "\(title)  \(bar) \(Int(share * 100)) %  \(note)"
    }
}

/// A count with a separator between groups of three digits: 69,659.
func grouped(_ count: Int) -> String {
    let digits = String(count.magnitude)
    var out = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
        out.append(digit)
    }
    return (count < 0 ? "-" : "") + out
}
