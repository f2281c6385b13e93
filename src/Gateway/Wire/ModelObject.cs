using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Wire;

/// <summary>One model as <c>GET /v1/models</c> shows it.</summary>
/// <param name="Id">Name clients use.</param>
/// <param name="Created">Unix time in seconds at which it was loaded.</param>
/// <param name="MaxModelLen">Longest context, in tokens.</param>
/// <param name="Meta">Facts for people and agents.</param>
internal sealed record ModelObject(string Id, long Created, int MaxModelLen, ModelObject.MetaFacts Meta)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "concertina";

    public static ModelObject Of(ModelFacts facts) => new(
        facts.Name,
        facts.LoadedAtUnixSeconds,
        facts.ContextLength,
        new MetaFacts(facts.Architecture, facts.VocabularySize, facts.ParameterCount, facts.WeightBytes, facts.KvBytesPerToken, facts.DeterminismClass));

    internal sealed record MetaFacts(
        string Architecture, int NVocab, long NParams, long Size, long KvBytesPerToken, string DeterminismClass);
}
