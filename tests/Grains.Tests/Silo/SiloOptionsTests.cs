using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Store;
using Concertina.Grains.Tenants;
using Concertina.Silo;
using Concertina.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Concertina.Grains.Tests.Silo;

public sealed class SiloOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Engine:StepTokens", "0")]
    [InlineData("Engine:MaxRunning", "-1")]
    [InlineData("KvCache:TranscodeReserveShare", "0.9")]
    [InlineData("KvCache:Codec", "zip")]
    [InlineData("Store:TtlHours", "0")]
    [InlineData("Store:QuotaBytes", "1")]
    [InlineData("Silo:Name", "a b")]
    [InlineData("Silo:DrainSeconds", "-1")]
    [InlineData("Tenants:me:KeySha256:0", "abc")]
    [InlineData("Tenants:me:Weight", "0")]
    [InlineData("Model:Path", "")]
    public async Task A_bad_value_stops_the_start_and_is_named(string key, string value)
    {
        OptionsValidationException problem = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(key, value));

        string name = key.StartsWith("Tenants", StringComparison.Ordinal) ? key.Replace(":0", "", StringComparison.Ordinal) : key;
        Assert.Contains(problem.Failures, failure => failure.Contains(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Engine:StepToken", "1")]
    [InlineData("Tenants:me:RequestPerMinute", "1")]
    public async Task A_misspelt_key_stops_the_start(string key, string value)
    {
        InvalidOperationException problem = await Assert.ThrowsAsync<InvalidOperationException>(() => Start(key, value));
        Assert.Contains(key.Split(':')[^1], problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_binds_as_bytes_and_tenants_by_their_id()
    {
        using IHost host = Host(new()
        {
            ["KvCache:BudgetBytes"] = "512MiB",
            ["Tenants:me:KeySha256:0"] = new string('a', 64),
            ["Tenants:me:TokensPerMinute"] = "7",
        });
        Assert.Equal(512L << 20, host.Services.GetRequiredService<IOptions<KvCacheOptions>>().Value.BudgetBytes);
        TenantsOptions tenants = host.Services.GetRequiredService<IOptions<TenantsOptions>>().Value;
        Assert.False(tenants.Keyless);
        Assert.Equal(7, tenants.ById["me"].TokensPerMinute);
    }

    [Fact]
    public void The_shipped_settings_are_the_defaults()
    {
        IConfiguration shipped = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).Build();
        ByteSize.Normalize(shipped);
        Assert.Equal(new EngineOptions(), shipped.GetSection(EngineOptions.Section).Get<EngineOptions>());
        Assert.Equal(new KvCacheOptions(), shipped.GetSection(KvCacheOptions.Section).Get<KvCacheOptions>());
        Assert.Equal(new StoreOptions(), shipped.GetSection(StoreOptions.Section).Get<StoreOptions>());
        Assert.Equal(new SiloOptions(), shipped.GetSection(SiloOptions.Section).Get<SiloOptions>());
        Assert.Equal(new ModelOptions(), shipped.GetSection(ModelOptions.Section).Get<ModelOptions>());
        foreach (Type options in (Type[])[typeof(EngineOptions), typeof(KvCacheOptions), typeof(StoreOptions), typeof(SiloOptions), typeof(ModelOptions)])
        {
            string section = (string)options.GetField("Section")!.GetRawConstantValue()!;
            IEnumerable<string> missing = options.GetProperties().Where(property => property.SetMethod is { IsPublic: true }).Select(property => property.Name)
                .Except(shipped.GetSection(section).GetChildren().Select(child => child.Key));
            Assert.Empty(missing);
        }
    }

    [Theory]
    [InlineData("models/demo/demo-q8_0.gguf", "demo")]
    [InlineData("Llama.3.gguf", "Llama")]
    [InlineData("plain.gguf", "plain")]
    public void A_model_without_a_name_is_called_by_the_first_word_of_its_file(string path, string name) =>
        Assert.Equal(name, new ModelOptions { Path = path }.ServedName);

    private async Task Start(string key, string value)
    {
        using IHost host = Host(new() { [key] = value });
        await host.StartAsync(TestContext.Current.CancellationToken);
    }

    private IHost Host(Dictionary<string, string?> settings)
    {
        HostApplicationBuilder builder = new();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Model:Path"] = "model.gguf",
            ["Store:Directory"] = _folder.Path,
        });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddConcertinaSilo();
        return builder.Build();
    }
}
