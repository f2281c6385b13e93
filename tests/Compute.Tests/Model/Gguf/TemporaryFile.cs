namespace Concertina.Compute.Tests.Model.Gguf;

/// <summary>A file that goes away with the test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(ReadOnlySpan<byte> bytes) => File.WriteAllBytes(Name, bytes);

    public string Name { get; } = Path.Combine(Path.GetTempPath(), $"concertina-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(Name);
}
