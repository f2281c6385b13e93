namespace Concertina.Grains.Tests.Store.Pages;

/// <summary>A file whose process dies after so many bytes: they are in the file, the next one is not.</summary>
internal sealed class DyingStream(string path, long diesAt) : Stream
{
    private readonly FileStream _file = new(path, FileMode.Create, FileAccess.Write);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _file.Length;

    public override long Position { get => _file.Position; set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        int left = (int)Math.Min(diesAt - _file.Position, buffer.Length);
        _file.Write(buffer[..left]);
        if (left < buffer.Length)
        {
            _file.Dispose();
            throw new IOException($"The process died at byte {diesAt}.");
        }
    }

    public override void Flush() => _file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        base.Dispose(disposing);
    }
}
