using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;

namespace Concertina.Grains.Tests.Fakes;

internal static class Workers
{
    public const string Model = "demo";
    public const string Key = "local/0";

    public static ModelFacts Facts { get; } = new()
    {
        Name = Model,
        Hash = "model-hash",
        Architecture = "llama",
        ContextLength = 8192,
        VocabularySize = 4096,
        ParameterCount = 1,
        WeightBytes = 1,
        KvBytesPerToken = 4096,
        LoadedAtUnixSeconds = 0,
        DeterminismClass = "test-class",
        TokenizerBytes = 100_000,
    };

    public static byte[] TokenizerBytes { get; } = [.. Enumerable.Range(0, Facts.TokenizerBytes).Select(index => (byte)index)];

    public static LocalWorker Loading() => new(Key, Model);

    public static LocalWorker Serving(FakeEngine engine)
    {
        LocalWorker worker = Loading();
        worker.Serve(Served(engine));
        return worker;
    }

    public static ServedModel Served(FakeEngine engine) => new()
    {
        Engine = engine,
        Facts = Facts,
        TokenizerBytes = TokenizerBytes,
        TranscodeReserveBytes = 1 << 20,
        FloorBytesPerColumn = 64 * 4096,
        QueueLimit = 16,
    };
}
