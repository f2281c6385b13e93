using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Store;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests.Kit;

/// <summary>A folder of session files, gone after the test, and the stores that processes open over it one after the other.</summary>
internal sealed class PageFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("concertina-spill-").FullName;

    /// <summary>Faults that were told.</summary>
    public List<SessionFileFault> Faults { get; } = [];

    /// <summary>The store of a process that starts now.</summary>
    public SessionPages Open(string formats = "formats", string model = "model", string key = "") => new()
    {
        Store = new SessionTokenStore(
            new StoreOptions { Directory = Path, EncryptionKey = key }, new FakeTimeProvider(DateTimeOffset.UnixEpoch)).Pages,
        ModelHash = model,
        Formats = formats,
        OnFault = (_, fault, _) => Faults.Add(fault),
    };

    public string[] Files() => Directory.GetFiles(Path, "*.pages", SearchOption.AllDirectories);

    public string[] AllFiles() => Directory.GetFiles(Path, "*", SearchOption.AllDirectories);

    public string FileOf(string key) => System.IO.Path.Combine(Path, "sessions", SessionFiles.NameOf(key, SessionFiles.Pages));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
