-- MeSH headings under which all of an area's diseases are, at the top of the tree or just below it.
-- `unless`: a heading that is filed there for another reason (MeSH has breast cancer among skin diseases).
with headings (mesh_term, area, unless) as (

    values
    ('Neoplasms', 'Oncology', null),
    ('Cardiovascular Diseases', 'Cardiovascular', null),
    ('Nervous System Diseases', 'Neurology', null),
    ('Mental Disorders', 'Mental health', 'Sexual Dysfunctions, Psychological'),
    ('Infections', 'Infectious diseases', null),
    ('Infection', 'Infectious diseases', null),
    ('Bacterial Infections and Mycoses', 'Infectious diseases', null),
    ('Virus Diseases', 'Infectious diseases', null),
    ('Parasitic Diseases', 'Infectious diseases', null),
    ('Respiratory Tract Diseases', 'Respiratory', null),
    ('Digestive System Diseases', 'Gastroenterology and hepatology', null),
    ('Endocrine System Diseases', 'Endocrinology and metabolism', null),
    ('Nutritional and Metabolic Diseases', 'Endocrinology and metabolism', null),
    ('Musculoskeletal Diseases', 'Musculoskeletal and rheumatology', null),
    ('Connective Tissue Diseases', 'Musculoskeletal and rheumatology', null),
    ('Skin Diseases', 'Dermatology', 'Breast Diseases'),
    ('Immune System Diseases', 'Immunology and allergy', null),
    ('Hemic and Lymphatic Diseases', 'Hematology', null),
    ('Urologic Diseases', 'Nephrology and urology', null),
    ('Urological Manifestations', 'Nephrology and urology', null),
    ('Genital Diseases, Male', 'Nephrology and urology', null),
    ('Genital Diseases, Female', 'Obstetrics and gynecology', null),
    ('Pregnancy Complications', 'Obstetrics and gynecology', null),
    ('Eye Diseases', 'Ophthalmology', null),
    ('Otorhinolaryngologic Diseases', 'Ear, nose and throat', null),
    ('Stomatognathic Diseases', 'Mouth and teeth', null),
    ('Congenital, Hereditary, and Neonatal Diseases and Abnormalities', 'Genetic and congenital', null),
    ('Chemically-Induced Disorders', 'Toxicology and substance use', null),
    ('Wounds and Injuries', 'Injuries', null)

),

found as (

    select distinct
        terms.nct_id,
        headings.area
    from {{ ref('stg_ctgov__browse_conditions') }} as terms
    inner join headings on terms.mesh_term = headings.mesh_term
    where
        headings.unless is null
        or not exists (
            select 1
            from {{ ref('stg_ctgov__browse_conditions') }} as others
            where others.nct_id = terms.nct_id and others.mesh_term = headings.unless
        )

)

select
    trials.nct_id,
    coalesce(found.area, 'Other / not assigned') as area,
    (1.0 / count(*) over (partition by trials.nct_id))::numeric(6, 4) as share
from {{ ref('dim_trials') }} as trials
left join found on trials.nct_id = found.nct_id
